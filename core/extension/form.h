/* SPDX-License-Identifier: MIT */
/* What can be said of a program without following its paths. */
#ifndef HK_EXTENSION_FORM_H
#define HK_EXTENSION_FORM_H

#include "extension/verify.h"

/* What is noted of an instruction. */
enum {
    HK_NOTE_TARGET = 1,  /* a jump leads here */
    HK_NOTE_HALF = 2,    /* the upper half of the one before */
    HK_NOTE_REACHED = 4, /* some path leads here */
    HK_NOTE_CONTEXT = 8, /* and it reads the context */
};

/*
 * Check every instruction by itself, and where jumps lead.
 *
 * note  [out]  HK_NOTE_TARGET and HK_NOTE_HALF of each
 * at    [out]  the instruction, if one is at fault
 */
enum hk_reject hk_form_check(const struct hk_extension *extension, uint8_t *note, uint32_t *at);

/*
 * Which registers are read from an instruction on before they are written, one bit each. All jumps
 * go forwards, so one pass over the program knows it.
 *
 * live  [out]  of each instruction
 */
void hk_form_live(const struct hk_extension *extension, const uint8_t *note, uint16_t *live);

/* Whether control may go on to the next instruction. */
bool hk_form_falls_through(const struct hk_instruction *i);

/* Where a jump leads, relative to the next instruction; false for what is no jump. */
bool hk_form_jump(const struct hk_instruction *i, int32_t *distance);

#endif
