/* SPDX-License-Identifier: MIT */
/* A fuzzer's input as a stream of numbers; zeros when it has run out. */
#ifndef HK_TEST_FUZZ_INPUT_H
#define HK_TEST_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
    const uint8_t *data;
    size_t bytes;
};

static inline uint64_t input_take(struct input *input, size_t bytes)
{
    uint64_t value = 0;
    size_t taken = bytes < input->bytes ? bytes : input->bytes;

    memcpy(&value, input->data, taken);
    input->data += taken;
    input->bytes -= taken;
    return value;
}

/* libFuzzer's entry points. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#endif
