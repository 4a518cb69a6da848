"""Runs inside gdb: looks at core files of real stops and writes what gdb shows there, as JSON.

STOPS_CORES: a JSON list of core files, each with the expressions to print in the innermost frame of a thread.
STOPS_OUTPUT: the file to write.
"""

import json
import os

import gdb

FRAME_LIMIT = 40
ELEMENT_LIMIT = 3
DEPTH_LIMIT = 3
REGISTERS = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] + ["r%d" % n for n in range(8, 16)] + ["rip"]
TAGGED = {gdb.TYPE_CODE_STRUCT: "struct", gdb.TYPE_CODE_UNION: "union", gdb.TYPE_CODE_ENUM: "enum"}
RECORDS = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)


def type_text(t):
    """As `whatis` prints it; types without a name are not spelled out."""
    plain = t.unqualified()
    if plain.code in TAGGED and plain.name is None:
        return "%s {...}" % TAGGED[plain.code]
    return str(t)


def member_name(field):
    return field.name or "<anonymous %s>" % TAGGED[field.type.strip_typedefs().code]


def scalar(value):
    """What gdb prints, and the number that it is."""
    if value.is_optimized_out:
        return {"text": "<optimized out>"}
    text = value.format_string(repeat_threshold=0)
    try:
        number = int(value)
    except gdb.error:
        return {"text": text}
    return {"text": text, "number": str(number)}


def tree(value, depth, follow=True):
    """The value down to its scalars; pointers to structs are followed at the top only."""
    node = {"type": type_text(value.type)}
    try:
        kind = value.type.strip_typedefs()
        if kind.code in RECORDS:
            if depth < DEPTH_LIMIT:
                node["children"] = [[member_name(f), tree(value[f], depth + 1, False)] for f in kind.fields()]
        elif kind.code == gdb.TYPE_CODE_ARRAY:
            if depth < DEPTH_LIMIT:
                low, high = kind.range()
                last = min(high, low + ELEMENT_LIMIT - 1)
                node["count"] = high - low + 1
                node["children"] = [["[%d]" % i, tree(value[i], depth + 1, False)] for i in range(low, last + 1)]
        else:
            node.update(scalar(value))
            if follow and kind.code == gdb.TYPE_CODE_PTR and not value.is_optimized_out:
                target = kind.target().strip_typedefs()
                if target.code in RECORDS and target.fields():
                    node["children"] = tree(value.dereference(), 0, False).get("children")
    except gdb.error as error:
        text = str(error)
        node["text"] = "<optimized out>" if "optimized out" in text else "<unavailable: %s>" % text
        node.pop("children", None)
    return node


def is_constant_variable(symbol):
    if symbol.addr_class not in (gdb.SYMBOL_LOC_CONST, gdb.SYMBOL_LOC_CONST_BYTES):
        return False
    kind = symbol.type.strip_typedefs()
    return kind.code != gdb.TYPE_CODE_ENUM or symbol.name not in [f.name for f in kind.fields()]


def variables(frame):
    """`info locals` and `info args`, innermost block first."""
    found = []
    try:
        block = frame.block()
    except RuntimeError:
        return found
    while block is not None:
        for symbol in block:
            if not (symbol.is_variable or symbol.is_argument or is_constant_variable(symbol)):
                continue
            if symbol.addr_class == gdb.SYMBOL_LOC_UNRESOLVED:
                continue
            entry = {"name": symbol.name, "argument": symbol.is_argument, "size": symbol.type.sizeof}
            try:
                entry["value"] = tree(symbol.value(frame), 0)
            except gdb.error as error:
                entry["value"] = {"type": type_text(symbol.type), "text": "<unavailable: %s>" % error}
            found.append(entry)
        if block.function is not None:
            break
        block = block.superblock
    return found


def register(frame, name):
    try:
        value = frame.read_register(name)
        return None if value.is_optimized_out else "%#x" % (int(value) & 2**64 - 1)
    except gdb.error:
        return None


def frames():
    found = []
    frame = gdb.newest_frame()
    while frame is not None and len(found) < FRAME_LIMIT:
        if frame.type() != gdb.TAILCALL_FRAME:
            sal = frame.find_sal()
            found.append(
                {
                    "pc": "%#x" % frame.pc(),
                    "name": frame.name(),
                    "inlined": frame.type() == gdb.INLINE_FRAME,
                    "file": os.path.basename(sal.symtab.filename) if sal.symtab else None,
                    "line": sal.line,
                    "registers": {name: register(frame, name) for name in REGISTERS},
                    "variables": variables(frame),
                }
            )
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def printed(expression):
    try:
        return tree(gdb.parse_and_eval(expression), 0)
    except gdb.error as error:
        return {"type": "", "text": "<error: %s>" % error}


def stop(core, focus, expressions):
    gdb.execute("core-file %s" % core, to_string=True)
    answer = {"threads": {}, "expressions": {}}
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        answer["threads"][str(thread.ptid[1])] = frames()
        if thread.ptid[1] == focus:
            gdb.newest_frame().select()
            answer["expressions"] = {text: printed(text) for text in expressions}
    return answer


# Not the language of each frame: assembly would drop "struct".
gdb.execute("set language c")
gdb.execute("set print elements 200")
gdb.execute("set width 0")
answer = [stop(*task) for task in json.loads(os.environ["STOPS_CORES"])]
with open(os.environ["STOPS_OUTPUT"], "w") as output:
    json.dump(answer, output)
