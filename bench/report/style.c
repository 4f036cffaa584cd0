/* SPDX-License-Identifier: MIT */
#include "style.h"

/*
 * Colours have a contrast of at least 4.5 to 1 on their ground in both schemes;
 * a verdict is told by its word and its border as well as by its colour.
 */
const char report_style[] =
    ":root{color-scheme:light dark;--ground:#fff;--text:#1b1b1b;--soft:#595959;--line:#d5d5d5;"
    "--band:#f5f5f5;--link:#0b57a4;--holds:#00663f;--replaced:#0b57a4;--refuted:#a83200;"
    "--open:#595959}"
    "@media (prefers-color-scheme:dark){:root{--ground:#16181c;--text:#e8e8e8;--soft:#a8a8a8;"
    "--line:#3c4048;--band:#1f2228;--link:#8cbcf5;--holds:#5fd0a0;--replaced:#8cbcf5;"
    "--refuted:#ff9d73;--open:#a8a8a8}}"
    "body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:72rem;margin:0 auto;padding:1.5rem}"
    "h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.3rem;margin-top:2.5rem}"
    ".lead{font-size:1.05rem}a{color:var(--link)}"
    "nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}"
    ".notice{border-left:.3rem solid var(--refuted);background:var(--band);padding:.5rem .8rem}"
    ".scroll{overflow-x:auto;max-height:36rem;overflow-y:auto;border:1px solid var(--line);"
    "margin:1rem 0}"
    "table{border-collapse:collapse;font-size:.86rem;width:100%}"
    "caption{text-align:left;padding:.4rem .6rem;color:var(--soft)}"
    "th,td{padding:.25rem .6rem;text-align:left;vertical-align:top;"
    "border-top:1px solid var(--line)}"
    "thead th{position:sticky;top:0;background:var(--band)}"
    "tbody th{font-weight:normal}tbody tr:nth-child(even){background:var(--band)}"
    ".number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "code,pre{font:.92em ui-monospace,monospace}"
    "pre{background:var(--band);padding:.6rem;overflow-x:auto}"
    ".verdict{font-weight:600;white-space:nowrap;padding:0 .35rem;border:1px solid;"
    "border-radius:.2rem}"
    ".holds{color:var(--holds);border-style:solid}.replaced{color:var(--replaced);"
    "border-style:double}.refuted{color:var(--refuted);border-style:dashed}"
    ".open{color:var(--open);border-style:dotted}"
    ".legend dt{margin-top:.4rem}.legend dd{margin-left:1rem;color:var(--soft)}"
    "figure{margin:2rem 0}figure svg{background:#fff;max-width:100%;height:auto;"
    "border:1px solid var(--line)}"
    "figcaption{color:var(--soft);max-width:52rem}"
    "@media print{.scroll{max-height:none;overflow:visible;border:0}nav{display:none}"
    "body{font-size:11px}}";
