#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run the rows on Linux's sockets and on Pollux's, and compare.

    compare.py LINUX POLLUX [--write] [ROW...]

Each row is the same, or stands in differs.txt with the reason; what stands there and is the same
is wrong, too. A fault that is known stands there as well, until it is mended. doc/guide/sockets.md
must be what comes out; --write writes it. With ROWs, those whose name begins so, without the list
and the document.
"""
import concurrent.futures
import fnmatch
import os
import platform
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DOC = os.path.join(HERE, '../../doc/guide/sockets.md')
PATIENCE = 300
AGAIN_MAX = 20
VERDICTS = ('differs', 'unsupported', 'fault')

GROUPS = [
    ('calls', 'Calls and their arguments'),
    ('bind', 'Addresses, ports and names'),
    ('ready', 'States: what poll(), select(), epoll and the next call say'),
    ('poll', 'poll() and select()'),
    ('epoll', 'epoll'),
    ('stream', 'TCP: text, flags, urgent bytes'),
    ('datagrams', 'UDP: datagrams and errors'),
    ('multicast', 'Groups'),
    ('packets', 'Packet sockets'),
    ('control messages', 'recvmsg() and the queue of errors'),
    ('sendmsg', 'sendmsg()'),
    ('zerocopy', 'MSG_ZEROCOPY'),
    ('the end', 'shutdown(), close(), SIGPIPE'),
    ('waiting', 'Timeouts, signals, threads, processes'),
    ('descriptors', 'fcntl() and ioctl()'),
    ('IPv6', 'IPv6, and IPv4 at its sockets'),
    ('names', 'Names and interfaces'),
    ('options', 'Options that are numbers'),
    ('values', 'Other options; what accept() inherits'),
]


class Row:
    """One line of a side."""

    def __init__(self, line):
        self.group, self.name, self.what, self.seen = line.split('\t')


def start(program, wanted):
    """All that one side prints, to stderr, too, and its exit code."""
    try:
        done = subprocess.run([program] + wanted, stdin=subprocess.DEVNULL, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as late:
        return late.stdout or b'', late.stderr or b'', 'no end'


def read(program, out, err, code):
    """All rows of one side, by name, and whether it ended well."""
    text = out.decode()
    rows = [Row(line) for line in text.splitlines() if line.count('\t') == 3]
    if code == 77:
        print(text, end='')
        sys.exit(77)
    if code:
        last = ', after %s' % rows[-1].name if rows else ''
        print('%s: exit code %s%s' % (os.path.basename(program), code, last))
    print(err.decode(), end='')
    return {r.name: r for r in rows}, code == 0


def read_list():
    """[(verdict, patterns, why)] of differs.txt."""
    entries = []
    with open(os.path.join(HERE, 'differs.txt'), encoding='utf-8') as lines:
        for n, line in enumerate(lines, 1):
            line = line.strip()
            if not line or line.startswith('#'):
                continue
            rows, bar, why = line.partition(' | ')
            verdict, *patterns = rows.split()
            if verdict not in VERDICTS or not bar or not patterns:
                sys.exit('differs.txt:%d: VERDICT ROW... | WHY' % n)
            entries.append((verdict, patterns, why))
    return entries


def recorded():
    """The kernel that the document was made with, and what its rows said."""
    try:
        with open(DOC, encoding='utf-8') as doc:
            text = doc.read()
    except FileNotFoundError:
        return None, {}, ''
    kernel = re.search(r'^Linux (\d+\.\d+)\b', text, re.M)
    rows = re.findall(r'^\| `(\w+)` \|.*? \| `(.*?)` \|', text, re.M)
    return kernel and kernel.group(1), dict(rows), text


def bad(name, *lines):
    """A row that fails."""
    print('[  FAILED  ] %s' % name)
    for line in lines:
        print('    ' + line)


def judge(linux, pollux, entries):
    """{name: (verdict, why)}, and whether all is well."""
    verdicts, fine, used = {}, True, set()
    for name, row in linux.items():
        other = pollux.get(name)
        seen = other.seen if other else '(no answer)'
        matching = [(verdict, pattern, why) for verdict, patterns, why in entries
                    for pattern in patterns if fnmatch.fnmatchcase(name, pattern)]
        if seen == row.seen:
            verdicts[name] = ('same', '')
            if any(pattern == name for _, pattern, _ in matching):
                bad(name, 'is the same, and stands in differs.txt')
                fine = False
            else:
                print('[       OK ] %s' % name)
        elif matching:
            used.add(matching[0][1])
            verdicts[name] = (matching[0][0], matching[0][2])
            print('[       OK ] %s' % name)
        else:
            verdicts[name] = ('differs', '?')
            bad(name, row.what, 'Linux:  ' + row.seen, 'Pollux: ' + seen)
            fine = False
    for _, patterns, _ in entries:
        for pattern in patterns:
            if pattern not in used and not any(pattern == n for n in linux):
                bad('differs.txt', '%s: no row like this differs' % pattern)
                fine = False
    return verdicts, fine


def doubtful(linux, pollux, entries, before):
    """Rows that nobody expects so: on a busy machine what is timed may come late, on both sides."""
    listed = [pattern for _, patterns, _ in entries for pattern in patterns]
    return [name for name, row in linux.items()
            if (name in pollux and pollux[name].seen != row.seen and
                not any(fnmatch.fnmatchcase(name, pattern) for pattern in listed)) or
            row.seen != before.get(name, row.seen).replace('\\|', '|')]


def ask(programs, wanted):
    """What both sides print."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(lambda program: start(program, wanted), programs))


def ask_again(programs, sides, names):
    """Those rows alone, and twice at most."""
    print('asked again: ' + ' '.join(names))
    for side, answer in zip(sides, ask(programs, names)):
        rows, _ = read('', *answer)
        side.update({name: row for name, row in rows.items() if name in names})


def code(text):
    """As code in a table."""
    return '`%s`' % (text or ' ').replace('|', '\\|')


def document(kernel, linux, pollux, verdicts, entries):
    """The text of doc/guide/sockets.md."""
    count = {v: sum(1 for x, _ in verdicts.values() if x == v) for v in ('same',) + VERDICTS}
    with open(os.path.join(HERE, 'intro.md'), encoding='utf-8') as intro:
        out = [intro.read().rstrip().format(kernel=kernel, rows=len(linux), **count)]
    for verdict, title in (('differs', 'What differs'), ('unsupported', 'What there is not'),
                           ('fault', 'What is wrong, and known')):
        if count[verdict]:
            out += ['', '## ' + title, '', '| why | rows |', '|---|---|']
        for v, _, why in entries:
            names = [n for n in linux if verdicts[n] == (v, why)]
            if v == verdict and names:
                out.append('| %s | %s |' % (why, ', '.join('`%s`' % n for n in names)))
    for group, title in GROUPS:
        out += ['', '## ' + title, '', '| row | what | Linux | Pollux |', '|---|---|---|---|']
        for name, row in linux.items():
            if row.group != group:
                continue
            verdict, _ = verdicts[name]
            seen = verdict
            if verdict not in ('same', 'fault'):
                seen = '%s: %s' % (verdict, code(pollux[name].seen))
            out.append('| `%s` | %s | %s | %s |' % (name, row.what.replace('|', '\\|'),
                                                   code(row.seen), seen))
    return '\n'.join(out) + '\n'


def main(args):
    """Exit code."""
    write = '--write' in args
    args = [a for a in args if a != '--write']
    wanted = args[2:]
    sides = ask(args[:2], wanted)
    linux, fine = read(args[0], *sides[0])
    pollux, ended = read(args[1], *sides[1])
    kernel = '.'.join(platform.release().split('.')[:2])
    made_with, before, text = recorded()
    for _ in range(2 if not wanted and ended else 0):
        names = doubtful(linux, pollux, read_list(), before if made_with == kernel else {})
        if names and len(names) <= AGAIN_MAX:
            ask_again(args[:2], (linux, pollux), names)
    if made_with and made_with != kernel and not write:
        print('this is Linux %s: where it differs from %s, that counts' % (kernel, made_with))
        kernel = made_with
        for name, seen in before.items():
            if name in linux:
                linux[name].seen = seen.replace('\\|', '|')
    entries = [] if wanted else read_list()
    verdicts, same = judge(linux, pollux, entries)
    fine = fine and ended and same
    count = [sum(1 for v, _ in verdicts.values() if v == x)
             for x in ('same',) + VERDICTS]
    print('%d rows: %d same, %d differ, %d unsupported, %d faults' % (len(linux), *count))
    if wanted:
        return 0 if fine else 1
    if not ended:
        return 1
    now = document(kernel, linux, pollux, verdicts, entries)
    if write:
        with open(DOC, 'w', encoding='utf-8') as doc:
            doc.write(now)
    elif now != text:
        bad('sockets.md', 'doc/guide/sockets.md is not what this test makes: --write')
        fine = False
    else:
        print('[       OK ] sockets.md')
    return 0 if fine else 1


sys.exit(main(sys.argv[1:]))
