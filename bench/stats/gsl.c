/* SPDX-License-Identifier: MIT */
#include "hk/stats/gsl.h"

#include <gsl/gsl_errno.h>

void hk_gsl_init(void)
{
    (void)gsl_set_error_handler_off();
}

enum hk_status hk_gsl_status(int gsl_code)
{
    switch (gsl_code) {
    case GSL_SUCCESS:
        return HK_OK;
    case GSL_ENOMEM:
        return HK_ENOMEM;
    case GSL_EDOM:
    case GSL_ERANGE:
    case GSL_EOVRFLW:
    case GSL_EUNDRFLW:
    case GSL_EZERODIV:
        return HK_ERANGE;
    case GSL_EFAILED:
    case GSL_ERUNAWAY:
    case GSL_EMAXITER:
    case GSL_ETOL:
    case GSL_ELOSS:
    case GSL_EROUND:
    case GSL_ESING:
    case GSL_EDIVERGE:
    case GSL_ENOPROG:
    case GSL_ENOPROGJ:
        return HK_ENOISE;
    default:
        return HK_EINVAL;
    }
}
