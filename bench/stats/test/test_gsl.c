/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_sf_gamma.h>

#include "hk/stats/gsl.h"
#include "support.h"

static void codes_become_statuses(void **state)
{
    (void)state;
    static const struct {
        int code;
        enum hk_status status;
    } cases[] = {
        {GSL_SUCCESS, HK_OK},      {GSL_ENOMEM, HK_ENOMEM},   {GSL_EDOM, HK_ERANGE},
        {GSL_ERANGE, HK_ERANGE},   {GSL_EOVRFLW, HK_ERANGE},  {GSL_EMAXITER, HK_ENOISE},
        {GSL_ENOPROG, HK_ENOISE},  {GSL_ESING, HK_ENOISE},    {GSL_EINVAL, HK_EINVAL},
        {GSL_EBADLEN, HK_EINVAL},  {GSL_CONTINUE, HK_EINVAL}, {12345, HK_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(hk_gsl_status(cases[i].code), cases[i].status);
    }
}

static void an_error_returns_instead_of_aborting(void **state)
{
    (void)state;
    gsl_sf_result result;
    assert_int_equal(hk_gsl_status(gsl_sf_lngamma_e(-1.0, &result)), HK_ERANGE);
}

int main(void)
{
    hk_gsl_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_become_statuses),
        cmocka_unit_test(an_error_returns_instead_of_aborting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
