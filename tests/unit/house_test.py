#!/usr/bin/env python3
"""The house rules that a compiler does not check.

Which room may include which, what a pure room must not touch (clocks, random
devices, threads, input and output), what g++ 12 miscompiles around co_await,
and how long a file and a function may grow.

  house_test.py ROOT          checks the tree below ROOT; exit code 1 and one line per finding
  house_test.py --self-test   feeds each rule bad and good code, so that no rule passes by being deaf
"""
import re
import sys
from pathlib import Path

# ---- the rules ------------------------------------------------------------

EVERY_ROOM = {"payments", "settings", "policies", "routing", "currency", "connectors", "net", "sandbox", "proxy"}
BOOST_WITH_IO = ("asio", "beast", "process", "filesystem", "thread", "interprocess", "iostreams", "mysql", "redis",
                 "log", "fiber", "nowide")


class Room:
    def __init__(self, rooms=(), libraries=(), pure=False, system_headers=(), io_headers_in=()):
        self.rooms = set(rooms) | {"payments"}  # the words everyone speaks
        self.libraries = tuple(libraries)       # prefixes of <…> includes
        self.pure = pure
        self.system_headers = set(system_headers)  # banned in pure rooms, yet allowed here
        self.io_headers_in = set(io_headers_in)    # files of a pure room that may print


PROXY = Room(EVERY_ROOM, ("boost/", "sqlite3.h", "prometheus/", "spdlog/", "zlib.h", "CLI/", "openssl/"))

# The longest prefix of a file's path decides.
ROOMS = {
    "payments": Room((), ("boost/",), pure=True, io_headers_in=("payments/assertion.hpp",)),
    "settings": Room((), ("yaml-cpp/",)),
    "policies": Room(("settings",), ("boost/",), pure=True),
    "routing": Room(("policies",), ("boost/",), pure=True),
    "routing/simulator": Room(("policies", "routing", "settings"), ("boost/",)),
    "currency": Room(("settings",), ("boost/", "pugixml.hpp"), pure=True),
    "connectors": Room(("settings",), ("boost/", "pugixml.hpp", "openssl/evp.h", "openssl/hmac.h", "openssl/sha.h",
                                       "openssl/md5.h", "openssl/crypto.h"), pure=True),
    "net": Room((), ("boost/", "openssl/")),
    "sandbox": Room(("net",), ("boost/", "pugixml.hpp")),
    "proxy/core": Room(("policies", "routing", "currency", "connectors"), ("boost/",), pure=True,
                       system_headers=("mutex",)),
    "proxy": PROXY,
}
MAY_USE_IO_OF_BOOST = ("net", "sandbox", "proxy")

STANDARD_HEADERS = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
clocale cmath compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio
cstdlib cstring ctime cuchar cwchar cwctype deque exception execution expected filesystem format forward_list fstream
functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
memory_resource mutex new numbers numeric optional ostream print queue random ranges ratio regex scoped_allocator
semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view
syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
variant vector version
""".split())
BANNED_IN_PURE_ROOMS = set("""
barrier condition_variable csignal cstdio ctime execution filesystem fstream future iostream istream latch mutex
print semaphore shared_mutex stop_token syncstream thread
""".split())
BANNED_CALLS = {
    "reads a clock": r"::\s*now\s*\(|\b(?:gettimeofday|clock_gettime|std::time|localtime|gmtime)\s*\(|\btime\s*\(\s*(?:nullptr|NULL|0)\s*\)",
    "owns a random device": r"\brandom_device\b|\b(?:getrandom|getentropy|arc4random)\s*\(|\bs?rand\s*\(\s*\)|\bRAND_bytes\b",
    "reads the environment": r"\b(?:secure_)?getenv\s*\(",
    "does input or output": r"\b(?:fopen|fdopen|freopen|fputs|fwrite|fread|puts|putchar|v?f?printf|dprintf|perror)\s*\(|\bstd\s*::\s*(?:cout|cerr|clog|cin|[io]?fstream)\b",
    "starts or delays a thread": r"\bstd\s*::\s*(?:j?thread|async)\b|\bsleep_(?:for|until)\s*\(|\bu?sleep\s*\(|\bpthread_create\b",
    "starts a process": r"\b(?:std::system|popen|execve?|posix_spawn)\s*\(|(?<![\w.:>])(?:system|fork)\s*\(",
}

LONGEST_FILE = 600
LONGEST_FUNCTION = 90
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME"]) + r")\b")


def room_of(path):
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):
        name = "/".join(parts[:length])
        if name in ROOMS:
            return name
    return None


# ---- reading C++ ----------------------------------------------------------

TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|(?:\bu8|\bu|\bU|\bL|\b)R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.S)


def without_comments_and_strings(text):
    """Same length in lines; comments become spaces, literals become empty ones."""
    def replace(match):
        found = match.group(0)
        lines = "\n" * found.count("\n")
        return (" " if found.startswith(("//", "/*")) else '""') + lines
    return TOKENS.sub(replace, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


# ---- the checks: each yields (line, what) -----------------------------------

def check_includes(path, text, room_name):
    room = ROOMS[room_name]
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', text, re.M):
        line = line_of(text, match.start())
        quoted, angled = match.groups()
        if quoted:
            target = quoted.split("/")[0] if "/" in quoted else None
            if target is None:
                yield line, f'"{quoted}": our headers are included from the root of the project'
                continue
            target_room = room_of(quoted)
            if target_room is None:
                yield line, f'"{quoted}" is in no room'
                continue
            if target_room == room_name:
                continue
            if target not in room.rooms or (target_room.startswith("routing/") and room is not PROXY):
                yield line, f'"{quoted}": {room_name} may not use {target_room}'
            continue
        if room.pure and angled in BANNED_IN_PURE_ROOMS and angled not in room.system_headers \
                and path not in room.io_headers_in:
            yield line, f"<{angled}>: {room_name} is pure"
        elif angled in STANDARD_HEADERS:
            continue
        elif angled.startswith(room.libraries):
            does_io = room_name.split("/")[0] in MAY_USE_IO_OF_BOOST and not room.pure
            if angled.startswith("boost/") and re.split(r"[/.]", angled)[1] in BOOST_WITH_IO and not does_io:
                yield line, f"<{angled}>: {room_name} does no input or output"
        elif is_operating_system(angled):
            if room.pure:
                yield line, f"<{angled}>: {room_name} is pure"
        else:
            yield line, f"<{angled}>: {room_name} may not use this library"


def is_operating_system(header):
    return re.fullmatch(r"(?:sys|netinet|arpa|net|linux)/[\w/]+\.h|"
                        r"(?:unistd|fcntl|signal|poll|pthread|netdb|errno|time|stdlib|stdio|string|strings|termios|"
                        r"dirent|glob|malloc|sched|spawn|syslog|stdint|stddef|limits|math|ctype|assert)\.h", header) is not None


def check_purity(path, code, room_name):
    room = ROOMS[room_name]
    if not room.pure or path in room.io_headers_in:
        return
    for what, pattern in BANNED_CALLS.items():
        for match in re.finditer(pattern, code):
            yield line_of(code, match.start()), f"{room_name} is pure, but this {what}: {match.group(0).strip()}"


LAMBDA = re.compile(r"(?<![\w)\]\[])\[(?!\[)")
BEFORE_A_BLOCK = {"else", "do", "try", "mutable", "noexcept", "const", "override", "final"}


def check_co_await(code):
    """GCC 12 destroys some temporaries twice when their full expression suspends (PR 107288)."""
    for match in re.finditer(r"\bco_await\b", code):
        line = line_of(code, match.start())
        rest = awaited_expression(code[match.end():])
        if "{" in rest:
            yield line, "a braced temporary on a co_await line: name it before"
        if LAMBDA.search(rest):
            yield line, "a lambda on a co_await line: name it before"
        if is_inside_braced_initializer(code[:match.start()]):
            yield line, "co_await inside a braced initialiser: name its result before"


def awaited_expression(text):
    depth = 0
    for index, letter in enumerate(text):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
            if depth < 0:
                return text[:index]
        elif letter == ";" and depth == 0:
            return text[:index]
    return text


def is_inside_braced_initializer(before):
    index = max(before.rfind(letter) for letter in ";{}")
    if index < 0 or before[index] != "{":
        return False
    head = before[:index].rstrip()
    word = re.search(r"[A-Za-z_]\w*$", head)
    if word:
        if word.group(0) in BEFORE_A_BLOCK:
            return False
        # `-> awaitable_type {` and `struct name {` open blocks.
        return not re.search(r"(?:->\s*[\w:]+|\b(?:struct|class|namespace|union)\s+[\w:]+)$", head)
    return head.endswith(("=", "(", ","))


FUNCTION_HEAD = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|mutable|volatile|&&?|try)\b\s*|"
                           r"->[^;{}]*|requires[^;{}]*|:[^:].*)*$", re.S)
CONTAINER_HEAD = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b[^()=]*$", re.S)


def check_functions(code):
    """Blocks directly in a namespace or class that have a function's head."""
    stack, since, closed_sibling = [], 0, False
    for match in re.finditer(r"[;{}]", code):
        letter, at = match.group(0), match.start()
        head = re.sub(r"^\s*#[^\n]*$", "", code[since:at], flags=re.M).strip()
        since = match.end()
        if letter == ";":
            closed_sibling = False
        elif letter == "{":
            in_container = all(kind == "container" for kind, _ in stack)
            if CONTAINER_HEAD.search(head) and not head.endswith(")"):
                kind = "container"
            elif in_container and (FUNCTION_HEAD.search(head) or (head == "" and closed_sibling)):
                kind = "function"
            else:
                kind = "other"
            stack.append((kind, at))
            closed_sibling = False
        elif stack:
            kind, opened = stack.pop()
            closed_sibling = True
            length = code.count("\n", opened, at) + 1
            if kind == "function" and length > LONGEST_FUNCTION:
                yield line_of(code, opened), f"a function of {length} lines; {LONGEST_FUNCTION} are allowed"


def check_text(text):
    lines = text.count("\n") + (not text.endswith("\n"))
    if lines > LONGEST_FILE:
        yield LONGEST_FILE, f"a file of {lines} lines; {LONGEST_FILE} are allowed"
    for match in UNFINISHED.finditer(text):
        yield line_of(text, match.start()), f"unfinished: {match.group(0)}"


def check_file(path, text):
    """All findings of one file; `path` is relative to the root."""
    yield from check_text(text)
    if not path.endswith((".cpp", ".hpp")):
        return
    code = without_comments_and_strings(text)
    yield from check_co_await(code)
    if path.startswith("tests/"):
        return
    room_name = room_of(path)
    if room_name is None:
        yield 1, "this file is in no room of the house"
        return
    yield from check_includes(path, text, room_name)
    yield from check_purity(path, code, room_name)
    yield from check_functions(code)


# ---- the two ways to run -----------------------------------------------------

CHECKED_SUFFIXES = (".cpp", ".hpp", ".py", ".sh", ".cmake", "CMakeLists.txt", "Makefile")
NOT_OURS = {"build", "var", "node_modules", ".git", ".cache", "__pycache__"}


def files_below(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and path.name.endswith(CHECKED_SUFFIXES) and not NOT_OURS & set(relative.parts):
            yield path, relative.as_posix()


def check_tree(root):
    found = checked = 0
    for path, relative in files_below(root):
        checked += 1
        for line, what in check_file(relative, path.read_text(encoding="utf-8")):
            print(f"{relative}:{line}: {what}")
            found += 1
    if checked < 40:
        print(f"{root}: only {checked} files found: is this the root of the project?")
        found += 1
    print(f"{checked} files, {found} findings")
    return 1 if found else 0


BAD = [  # (path, code, a part of the finding)
    ("payments/a.cpp", '#include "settings/document.hpp"', "payments may not use settings"),
    ("payments/a.cpp", "#include <boost/asio.hpp>", "no input or output"),
    ("payments/a.cpp", "#include <boost/beast/http.hpp>", "no input or output"),
    ("payments/a.cpp", "#include <spdlog/spdlog.h>", "may not use this library"),
    ("payments/a.cpp", "#include <sqlite3.h>", "may not use this library"),
    ("payments/a.cpp", "#  include <thread>", "is pure"),
    ("payments/a.cpp", "#include <cstdio>", "is pure"),
    ("payments/a.cpp", "#include <mutex>", "is pure"),
    ("payments/a.cpp", "#include <unistd.h>", "is pure"),
    ("payments/a.cpp", "#include <sys/socket.h>", "is pure"),
    ("payments/a.cpp", '#include "money.hpp"', "from the root"),
    ("payments/a.cpp", '#include "kitchen/sink.hpp"', "is in no room"),
    ("kitchen/sink.cpp", "", "in no room of the house"),
    ("settings/a.cpp", '#include "policies/policy.hpp"', "settings may not use policies"),
    ("settings/a.cpp", "#include <boost/asio/ip/tcp.hpp>", "may not use this library"),
    ("routing/simulator/a.cpp", "#include <boost/asio/ip/tcp.hpp>", "no input or output"),
    ("policies/a.cpp", "#include <fstream>", "is pure"),
    ("policies/a.cpp", "#include <yaml-cpp/yaml.h>", "may not use this library"),
    ("routing/a.cpp", "#include <iostream>", "is pure"),
    ("routing/a.cpp", '#include "settings/document.hpp"', "routing may not use settings"),
    ("routing/a.cpp", '#include "routing/simulator/world.hpp"', "may not use routing/simulator"),
    ("routing/a.cpp", "auto t = std::chrono::steady_clock::now();", "reads a clock"),
    ("routing/a.cpp", "auto t = clock::now ();", "reads a clock"),
    ("routing/a.cpp", "std::random_device d;", "random device"),
    ("routing/a.cpp", "auto t = time(nullptr);", "reads a clock"),
    ("currency/a.cpp", 'auto f = fopen("x", "r");', "input or output"),
    ("currency/a.cpp", "std::cerr << 1;", "input or output"),
    ("connectors/a.cpp", 'auto e = getenv("X");', "reads the environment"),
    ("connectors/a.cpp", "#include <openssl/ssl.h>", "may not use this library"),
    ("connectors/a.cpp", '#include "routing/router.hpp"', "connectors may not use routing"),
    ("connectors/a.cpp", 'std::printf("x");', "input or output"),
    ("net/a.cpp", '#include "settings/document.hpp"', "net may not use settings"),
    ("net/a.cpp", "#include <boost/asio.hpp>\n#include <sqlite3.h>", "may not use this library"),
    ("sandbox/a.cpp", '#include "connectors/definition.hpp"', "sandbox may not use connectors"),
    ("proxy/core/a.cpp", '#include "net/client.hpp"', "proxy/core may not use net"),
    ("proxy/core/a.cpp", '#include "proxy/journal/writer.hpp"', "proxy/core may not use proxy"),
    ("proxy/core/a.cpp", '#include "settings/document.hpp"', "proxy/core may not use settings"),
    ("proxy/core/a.cpp", "#include <boost/asio/awaitable.hpp>", "no input or output"),
    ("proxy/core/a.cpp", "#include <condition_variable>", "is pure"),
    ("proxy/core/a.cpp", "std::this_thread::sleep_for(x);", "thread"),
    ("proxy/api/a.cpp", "#include <yaml-cpp/yaml.h>", "may not use this library"),
    ("net/a.cpp", "co_await f(point{1, 2});", "braced temporary"),
    ("net/a.cpp", "co_await f(\n  point{1, 2});", "braced temporary"),
    ("net/a.cpp", "auto r = co_await f({});", "braced temporary"),
    ("net/a.cpp", "if (co_await f({1})) {\n}", "braced temporary"),
    ("net/a.cpp", "co_await f([x] { return x; });", "lambda"),
    ("net/a.cpp", "co_await f(1, [this](int) { return 2; });", "lambda"),
    ("net/a.cpp", "point p{1, co_await g()};", "braced initialiser"),
    ("net/a.cpp", "point p = {co_await g()};", "braced initialiser"),
    ("tests/unit/net/a.cpp", "co_await f(point{1, 2});", "braced temporary"),
    ("payments/a.cpp", "// " + "TO" + "DO: later", "unfinished"),
    ("tests/a.py", "# " + "FIX" + "ME", "unfinished"),
    ("payments/a.cpp", "int x;\n" * 601, "a file of 601 lines"),
    ("payments/a.cpp", "namespace n {\nint f(int a) {\n" + "  g();\n" * 90 + "}\n}", "a function of"),
    ("payments/a.cpp", "struct s {\nvoid f() const noexcept {\n" + "  if (g()) { h(); }\n" * 90 + "}\n};", "a function of"),
    ("payments/a.cpp", "s::s(int x) : a_(x) {\n" + "  g();\n" * 90 + "}", "a function of"),
    ("payments/a.cpp", "s::s(int x) : a_{x}, b_{x} {\n" + "  g();\n" * 90 + "}", "a function of"),
    ("payments/a.cpp", "auto f() -> std::vector<int> {\n" + "  g();\n" * 90 + "}", "a function of"),
]
GOOD = [
    ("payments/a.cpp", '#include <vector>\n#include <boost/container/small_vector.hpp>\n#include "payments/money.hpp"'),
    ("payments/assertion.hpp", '#include <cstdio>\nvoid f() { std::fprintf(stderr, "x"); }'),
    ("settings/a.cpp", "#include <fstream>\n#include <yaml-cpp/yaml.h>\n#include <sys/stat.h>"),
    ("policies/a.cpp", '#include "settings/problem.hpp"\n#include "payments/card.hpp"'),
    ("routing/a.cpp", "// steady_clock::now() is never read here\nauto s = \"std::cout << ::now()\";"),
    ("routing/a.cpp", "auto t = now.steady; view(now); runtime(0); deadline_time(x);"),
    ("routing/simulator/a.cpp", '#include <iostream>\n#include "routing/router.hpp"\n#include "settings/document.hpp"'),
    ("currency/a.cpp", "#include <pugixml.hpp>\n#include <boost/multiprecision/cpp_int.hpp>"),
    ("connectors/a.cpp", "#include <openssl/hmac.h>\n#include <boost/json.hpp>"),
    ("net/a.cpp", "#include <boost/asio.hpp>\n#include <openssl/ssl.h>\n#include <thread>"),
    ("sandbox/a.cpp", '#include "net/server.hpp"\n#include <boost/asio/awaitable.hpp>\n#include <boost/json.hpp>'),
    ("proxy/core/a.hpp", '#include <mutex>\n#include "connectors/wire.hpp"\n#include "proxy/core/ports.hpp"'),
    ("proxy/server/a.cpp", '#include "net/server.hpp"\n#include "sandbox/gateway.hpp"\n#include <boost/asio.hpp>\n#include <thread>'),
    ("proxy/telemetry/a.cpp", "#include <prometheus/counter.h>\n#include <spdlog/spdlog.h>"),
    ("net/a.cpp", "if (co_await f(a[1])) {\n}\nwhile (true) { co_await g(); }\nelse { co_await h(x); }"),
    ("net/a.cpp", "auto f() -> awaitable<void> { co_await g(); }\nawaitable<void> f() { co_return co_await g(); }"),
    ("net/a.cpp", "co_spawn(x, [] () -> task { co_await g(); }, d);\nfor (;;) { auto [a, b] = co_await g(); }"),
    ("net/a.cpp", 'co_await f("{[");  // not f({}) or [x] {}'),
    ("payments/a.cpp", "int x;\n" * 600),
    ("payments/a.cpp", "constexpr auto t = std::to_array<row>({\n" + '  {"A", f(1)},\n' * 200 + "});"),
    ("payments/a.cpp", "namespace n {\nclass c {\n" + "  void f() { g(); }\n" * 200 + "};\n}"),
    ("payments/a.cpp", "constexpr int million = 1'000'000; char c = '{'; int g = 1'0;"),
]


def self_test():
    failures = 0
    for path, code, wanted in BAD:
        findings = [what for _, what in check_file(path, code)]
        if not any(wanted in what for what in findings):
            print(f"not caught: {path}: {code[:80]!r}: wanted {wanted!r}, found {findings}")
            failures += 1
    for path, code in GOOD:
        for line, what in check_file(path, code):
            print(f"wrongly caught: {path}:{line}: {code[:80]!r}: {what}")
            failures += 1
    print(f"{len(BAD)} bad and {len(GOOD)} good snippets, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(self_test() if sys.argv[1] == "--self-test" else check_tree(Path(sys.argv[1]).resolve()))
