"""Texts, numbers and names that have broken programs before."""

from __future__ import annotations

from benchmarks.attacks.judging import ELEMENT, HEADER, PRODUCT

#: texts in fields and parameters
TEXTS = (
    "", " ", "\t", "a" * 300, "a" * 70_000, "%", "%s%n", "%%%", "\\", "'", '"', "`", ";", "--", "../..", "null", "None",
    "undefined", "true", "-1", "0", "1e309", "NaN", "Infinity", "1e308", "1e300", "-1e300", "1e-300", "5e-324",
    "9223372036854775808", "9" * 400, "0x10", "1_000", "٣", "１２", "²",
    "' OR '1'='1", "1; DROP TABLE accounts_user;--", "1' UNION SELECT password FROM accounts_user--", "%' AND 1=0 --",
    "$where", "[$ne]", "__class__", "{0.__class__}", "${7*7}", "#{7*7}", "<%= 7*7 %>", PRODUCT, "{% load x %}",
    f"{ELEMENT}onerror=alert(1)>", f'">{ELEMENT}x>', "</script>" + ELEMENT + ">", "javascript:alert(1)",
    f"x\r\n{HEADER}: 1", f"x\n{HEADER}: 1", "x\r\n\r\n<html>", "\x00", "a\x00b", "\x1b[31m", "\x7f", "\ufeff", "\u202e",
    "\u200b", "\ufdfa" * 50, "é" * 200, "e" + "\u0301" * 400, "𝔘𝔫𝔦", "👩‍👩‍👧‍👦" * 30, "ı", "İ", "ß", "ﬁ", "=1+1",
    "@SUM(1)",
    "+1", "-1+1|cmd", "＝1", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/", "//evil.example", "C:\\x",
    "..%2f..%2f", "%00", "%0d%0a", "%c0%ae", "%ud800", "[]", "{}", '{"a":1}', "a,b,c", "a" + ",a" * 2000, "(" * 500,
    "a" * 50 + "!", "-" * 5000, "1" * 5000, "\u2028", "lem_" + "0" * 12 + "_" + "0" * 64,
)  # fmt: skip
#: what stands in place of an id, a slug or a name in a path, already encoded
PARTS = (
    "..", ".", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2f", "..%5c..%5c", "....//", "%252e%252e%252f",
    "%00", "a%00.svg", "%0d%0azqx-injected:1", "%ff", "%c0%ae%c0%ae", "%ed%a0%80", "%F0%9F%92%A9", "0", "-1", "1",
    "999999999999999999999999", "9" * 400, "1e9", "NaN", "null", "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "a" * 3000, "a" * 200, "'", "%22",
    "%27%20OR%201=1",
    "%3Czqx%20onerror=1%3E", "{{1301*1303}}", "%7B%7B1301*1303%7D%7D", "*", "%25", "%", "%zz", ";", "a;b=c", "@", ":",
    "~root",
    "CON", ".git", ".env", "etc", "%E2%80%AE", "%EF%BC%8F", "%2F", "%3F", "%23", "me", "admin", "new", "owner",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "CONNECTX", "get", "X" * 60)
#: numbers as JSON has them, some of which no program should take
NUMBERS = (
    "0", "-0", "-1", "1e308", "1e309", "-1e400", "1E+2", "9223372036854775807", "9223372036854775808", "1" * 5000,
    "0.1e-400", "2147483648", "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "0x1F", "1_0",
)  # fmt: skip
