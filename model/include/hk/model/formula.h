/* SPDX-License-Identifier: MIT */
/* The formulas by name, for tables, verdicts and reports. */
#ifndef HK_MODEL_FORMULA_H
#define HK_MODEL_FORMULA_H

#include <stddef.h>

struct hk_formula {
    const char *id;          /* "F3" */
    const char *title;
    const char *text;        /* as the textbook writes it */
    const char *assumptions;
    const char *replacement; /* the stronger model tried where it fails */
};

/*
 * All formulas that have a model here, ordered by id.
 *
 * count  [out]  number of rows; may be null
 */
const struct hk_formula *hk_formulas(size_t *count);

/* Row of an id ("F3"), or null. */
const struct hk_formula *hk_formula_find(const char *id);

#endif
