"""Runs inside gdb: says what gdb knows, as JSON. The last resort in every question of what is right.

JUDGE_TASK names the task, JUDGE_OUTPUT the file to write.
"""

import json
import os

import gdb

FRAME_LIMIT = 8
WIDE_REGISTERS = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"] + ["r%d" % n for n in range(8, 16)]
NARROW_REGISTERS = ["eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp"]
INTEGERS = (
    gdb.TYPE_CODE_INT,
    gdb.TYPE_CODE_CHAR,
    gdb.TYPE_CODE_BOOL,
    gdb.TYPE_CODE_ENUM,
    gdb.TYPE_CODE_PTR,
)


def error_text(error):
    text = str(error)
    if "optimized out" in text:
        return "optimized out"
    if "GNU_uninit" in text:
        # gdb refuses this operation inside parts.
        return "other"
    # A struct in parts of which one is gone cannot be addressed or cast; the parts say more.
    return "unavailable"


def contents(value, depth=0):
    """The value down to its scalars."""
    try:
        kind = value.type.strip_typedefs()
        code = kind.code
        if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            if depth > 3:
                return "deep"
            return [[f.name or "", contents(value[f], depth + 1)] for f in kind.fields()]
        if code == gdb.TYPE_CODE_ARRAY:
            try:
                low, high = kind.range()
                high = int(high)
            except (gdb.error, TypeError):
                # Variable length.
                return "other"
            return [["", contents(value[i], depth + 1)] for i in range(low, min(high + 1, low + 3))]
        if value.is_optimized_out:
            return "optimized out"
        if code in INTEGERS:
            # Python's int() fails for 128 bits.
            if kind.sizeof > 8:
                return "other"
            return str(int(value))
        return "other"
    except gdb.error as error:
        return error_text(error)
    except Exception as error:  # pylint: disable=broad-except
        return "other"


def is_constant_variable(symbol):
    if symbol.addr_class not in (gdb.SYMBOL_LOC_CONST, gdb.SYMBOL_LOC_CONST_BYTES):
        return False
    kind = symbol.type.strip_typedefs()
    return kind.code != gdb.TYPE_CODE_ENUM or symbol.name not in [f.name for f in kind.fields()]


def variables(frame):
    found = []
    try:
        block = frame.block()
    except RuntimeError:
        return found
    while block is not None:
        for symbol in block:
            # A variable that is known to be constant counts as a constant, as enumerators do.
            if not (symbol.is_variable or symbol.is_argument or is_constant_variable(symbol)):
                continue
            if symbol.addr_class == gdb.SYMBOL_LOC_UNRESOLVED:
                continue
            try:
                value = contents(symbol.value(frame))
            except gdb.error as error:
                value = error_text(error)
            found.append({"name": symbol.name, "argument": symbol.is_argument, "value": value})
        if block.function is not None:
            break
        block = block.superblock
    return found


def frames():
    found = []
    frame = gdb.newest_frame()
    while frame is not None and len(found) < FRAME_LIMIT:
        if frame.type() == gdb.TAILCALL_FRAME:
            # Frames that gdb infers although they are no longer there.
            frame = frame.older()
            continue
        sal = frame.find_sal()
        registers = {}
        narrow = frame.architecture().name() == "i386"
        for name in NARROW_REGISTERS if narrow else WIDE_REGISTERS:
            try:
                value = frame.read_register(name)
                mask = 2 ** (32 if narrow else 64) - 1
                registers[name] = None if value.is_optimized_out else str(int(value) & mask)
            except gdb.error:
                registers[name] = None
        found.append(
            {
                "pc": str(frame.pc()),
                "name": frame.name(),
                "inlined": frame.type() == gdb.INLINE_FRAME,
                "file": sal.symtab.filename if sal.symtab else None,
                "line": sal.line,
                "registers": registers,
                "variables": variables(frame),
            }
        )
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def threads():
    result = {}
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        result[str(thread.ptid[1])] = frames()
    return result


def type_text(t):
    words = {gdb.TYPE_CODE_STRUCT: "struct", gdb.TYPE_CODE_UNION: "union", gdb.TYPE_CODE_ENUM: "enum"}
    plain = t.unqualified()
    if plain.code in words:
        qualifiers = str(t)[: str(t).find(words[plain.code])] if t.name is not None else ""
        return "%s%s %s" % (qualifiers, words[plain.code], plain.tag or "{...}")
    return str(t)


def field(f):
    return {
        "name": f.name or "",
        "bitpos": getattr(f, "bitpos", None),
        "bitsize": f.bitsize,
        "type": type_text(f.type),
        "sizeof": f.type.sizeof,
    }


def describe_type(t):
    s = t.strip_typedefs().unqualified()
    answer = {"sizeof": s.sizeof, "code": s.code, "text": type_text(t), "stripped": type_text(s)}
    if s.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        answer["fields"] = [field(f) for f in s.fields()]
    if s.code == gdb.TYPE_CODE_ENUM:
        answer["enumerators"] = [[f.name, str(f.enumval)] for f in s.fields()]
    return answer


def listed(command):
    """Names out of `info types` or `info variables`: lines "12: declaration;" or, for base types, one of its own."""
    text = gdb.execute(command, to_string=True)
    return text.split("Non-debugging")[0].splitlines()


def types():
    """Every type that gdb knows by name."""
    names = set()
    for line in listed("info types"):
        line = line.split(":", 1)[-1].strip().rstrip(";")
        if line.startswith("typedef "):
            name = line.split()[-1]
            names.add(name.lstrip("*") if "(" not in line and "[" not in line else "")
        elif line and "{" not in line and not line.startswith(("All ", "File ")):
            names.add(line)
    result = {}
    for name in names - {""}:
        try:
            result[name] = describe_type(gdb.lookup_type(name))
        except gdb.error as error:
            result[name] = {"error": str(error)}
    return result


def globals_():
    """JUDGE_NAMES: a JSON list of variable names."""
    result = {}
    for name in json.loads(os.environ["JUDGE_NAMES"]):
        symbol = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
        if symbol is None:
            result[name] = None
            continue
        try:
            address = symbol.value().address
        except gdb.error:
            address = None
        result[name] = {
            "address": str(int(address)) if address is not None else None,
            "type": type_text(symbol.type),
            "sizeof": symbol.type.sizeof,
        }
    return result


def global_names():
    """Names of all variables that gdb lists."""
    names = []
    for line in listed("info variables"):
        if ":" in line and line.rstrip().endswith(";") and line.split(":")[0].isdigit():
            names.append(line)
    return names


def lines():
    """JUDGE_NAMES: a JSON list of addresses."""
    result = {}
    for text in json.loads(os.environ["JUDGE_NAMES"]):
        sal = gdb.find_pc_line(int(text))
        result[text] = {"file": sal.symtab.filename if sal.symtab else None, "line": sal.line}
    return result


def symbols():
    """JUDGE_NAMES: a JSON list of addresses; what `info symbol` says, or None."""
    result = {}
    for text in json.loads(os.environ["JUDGE_NAMES"]):
        said = gdb.execute("info symbol %s" % text, to_string=True)
        result[text] = None if said.startswith("No symbol") else said.strip()
    return result


def functions():
    """JUDGE_NAMES: a JSON list of addresses inside functions."""
    result = {}
    for text in json.loads(os.environ["JUDGE_NAMES"]):
        block = gdb.block_for_pc(int(text))
        while block is not None and block.function is None:
            block = block.superblock
        while block is not None and block.superblock is not None and not block.superblock.is_static:
            block = block.superblock
        result[text] = None
        if block is not None and block.function is not None:
            symbol = block.function
            result[text] = {
                "name": symbol.name,
                "start": str(block.start),
                "end": str(block.end),
                "line": symbol.line,
                "type": str(symbol.type),
            }
    return result


def breakpoints():
    """JUDGE_NAMES: a JSON list of locations; the addresses that gdb would break at."""
    result = {}
    for name in json.loads(os.environ["JUDGE_NAMES"]):
        try:
            _, places = gdb.decode_line(name)
            result[name] = [str(place.pc) for place in places or []]
            breakpoint = gdb.Breakpoint(name)
            text = gdb.execute("info breakpoints %d" % breakpoint.number, to_string=True)
            breakpoint.delete()
            result[name] = [str(int(word, 16)) for word in text.split() if word.startswith("0x")]
        except (gdb.error, RuntimeError) as error:
            result[name] = {"error": str(error)}
    return result


TASKS = {
    "threads": threads,
    "types": types,
    "globals": globals_,
    "global_names": global_names,
    "functions": functions,
    "symbols": symbols,
    "lines": lines,
    "breakpoints": breakpoints,
}
with open(os.environ["JUDGE_OUTPUT"], "w") as output:
    json.dump(TASKS[os.environ["JUDGE_TASK"]](), output)
