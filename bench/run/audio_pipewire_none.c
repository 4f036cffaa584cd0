/* SPDX-License-Identifier: MIT */
/* Stands in for audio_pipewire.c where libpipewire is not installed. */
#include "audio_server.h"

const struct hk_audio_server hk_audio_server_pipewire = {
    .name = "pipewire",
    .missing = "built without libpipewire; install libpipewire-0.3-dev and pipewire, build again",
};
