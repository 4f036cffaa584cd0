/* SPDX-License-Identifier: MIT */
/* Stands in for audio_jack.c where libjack is not installed. */
#include "audio_server.h"

const struct hk_audio_server hk_audio_server_jack = {
    .name = "jack",
    .missing = "built without libjack; install libjack-jackd2-dev and jackd2 and build again",
};
