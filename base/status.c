/* SPDX-License-Identifier: MIT */
#include "hk/base/status.h"

const char *hk_status_text(enum hk_status status)
{
    switch (status) {
#define X(name, value, text) \
    case name:               \
        return text;
        HK_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

const char *hk_status_name(enum hk_status status)
{
    switch (status) {
#define X(name, value, text) \
    case name:               \
        return #name;
        HK_STATUS_LIST(X)
#undef X
    }
    return "HK_?";
}
