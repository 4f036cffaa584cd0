/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "hk/model/formula.h"
#include "support.h"

static void every_formula_is_found_by_its_id(void **state)
{
    (void)state;
    size_t count;
    const struct hk_formula *rows = hk_formulas(&count);
    assert_int_equal(count, 9);
    assert_ptr_equal(hk_formulas(NULL), rows);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(hk_formula_find(rows[i].id), &rows[i]);
        assert_true(strlen(rows[i].text) > 5 && strlen(rows[i].replacement) > 5);
        assert_true(i == 0 || strcmp(rows[i - 1].id, rows[i].id) < 0);
    }
    assert_null(hk_formula_find("F0"));
    assert_null(hk_formula_find(NULL));
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_formula_is_found_by_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
