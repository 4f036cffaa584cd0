/* SPDX-License-Identifier: MIT */
#include "golden.h"

static const double golden = 0.6180339887498949;

double golden_minimise(golden_fn f, const void *context, double low, double high, int steps)
{
    double left = high - golden * (high - low);
    double right = low + golden * (high - low);
    double at_left = f(context, left);
    double at_right = f(context, right);
    for (int i = 0; i < steps; i++) {
        if (at_left <= at_right) {
            high = right;
            right = left;
            at_right = at_left;
            left = high - golden * (high - low);
            at_left = f(context, left);
        } else {
            low = left;
            left = right;
            at_left = at_right;
            right = low + golden * (high - low);
            at_right = f(context, right);
        }
    }
    return at_left <= at_right ? left : right;
}
