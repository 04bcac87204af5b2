"""Markup within cells -> plain text, character for character, so that a place in a cell stays a place in the file.

What means nothing becomes blanks, which no cell minds; what means something becomes its sign and blanks.
"""

import re
from unicodedata import combining, normalize

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
}  # fmt: skip
"""Letters, by their names, which are also their commands in LaTeX."""
VARIANTS = {"ϵ": "ε", "ϑ": "θ", "ϕ": "φ", "ϱ": "ρ", "ς": "σ", "ϖ": "π", "ϰ": "κ", "µ": "μ"}
"""Other forms of the same letters."""
SIGNS = GREEK | {
    "times": "×", "cdot": "×", "ast": "×", "star": "×", "div": "/", "checkmark": "✓", "cmark": "✓", "xmark": "✗",
    "varepsilon": "ε", "vartheta": "θ", "varphi": "φ", "varrho": "ρ", "varsigma": "σ", "varpi": "π", "varkappa": "κ",
    "pm": "±", "sim": "~", "approx": "~", "rightarrow": "→", "ell": "l",
    "to": "→", "infty": "∞", "lbrack": "[", "rbrack": "]", "slash": "/", "textbackslash": "/", "ldots": "…",
    "dots": "…", "cdots": "…", "lbrace": "{", "rbrace": "}", "textasciitilde": "~", "textendash": "–",
    "textemdash": "—", "degree": "°", "bullet": "•",
}  # fmt: skip
"""Commands of LaTeX that are a sign."""
SILENT = frozenset({
    "left", "right", "bigl", "bigr", "big", "Big", "bf", "it", "rm", "tt", "sf", "sc", "em", "bfseries", "itshape",
    "ttfamily", "rmfamily", "sffamily", "scshape", "tiny", "scriptsize", "footnotesize", "small", "normalsize", "large",
    "Large", "centering", "raggedright", "raggedleft", "displaystyle", "textstyle", "scriptstyle", "quad", "qquad",
    "hfill", "hfil", "enspace", "thinspace", "noindent", "protect", "relax", "arraybackslash", "strut", "limits",
    "unskip", "ignorespaces", "par", "newline", "linebreak", "boldmath", "unboldmath", "mathstrut", "nonumber",
    "dagger", "ddagger", "S", "P", "arraystretch", "tabularnewline",
})  # fmt: skip
"""Commands that mean nothing to us."""
WRAPPERS = frozenset({
    "textbf", "textit", "texttt", "textrm", "textsf", "textsc", "textnormal", "text", "emph", "underline", "mathrm",
    "mathbf", "mathit", "mathtt", "mathsf", "mathcal", "operatorname", "mbox", "hbox", "fbox", "bm", "boldsymbol",
    "makecell", "thead", "shortstack", "ensuremath", "centerline", "uline", "textsuperscript", "num", "mathbin",
    "mathop", "mathrel", "mathord", "multicolumn", "multirow", "textcolor", "colorbox", "parbox", "rotatebox",
    "resizebox", "scalebox", "raisebox", "vcenter", "smash", "bold",
})  # fmt: skip
"""Commands whose last argument is what they show."""
ARGUMENTS = {
    "multicolumn": 3, "multirow": 3, "textcolor": 2, "colorbox": 2, "parbox": 2, "rotatebox": 2, "resizebox": 3,
    "scalebox": 2, "raisebox": 2,
}  # fmt: skip
"""How many arguments in braces a wrapper has, where it is not one."""
RULES = {
    "toprule": "o", "midrule": "o", "bottomrule": "o", "specialrule": "mmm", "heavyrule": "o", "hhline": "m",
    "hdashline": "o", "Xhline": "m", "thickhline": "", "tabucline": "om", "hlineB": "m", "bhline": "om",
}  # fmt: skip
"""Lines across the whole table, and their arguments: `o` in brackets, `p` in parentheses, `m` in braces."""
PLAIN_RULE = re.compile(r"[A-Za-z]*hline|(?:top|mid|bottom)rule")
"""Lines that papers define for themselves, without arguments: `\\shline`, `\\whline`."""
DROPPED = RULES | {
    "cline": "m", "cmidrule": "opm", "cdashline": "mo", "Xcline": "mm", "Cline": "om", "clineB": "mm",
    "morecmidrules": "", "addlinespace": "o", "arrayrulecolor": "om", "doublerulesepcolor": "om", "noalign": "m",
    "rowcolor": "omoo", "rowcolors": "ommm", "cellcolor": "omoo", "columncolor": "omoo", "rowfont": "om",
    "color": "om", "cite": "oom", "citep": "oom", "citet": "oom", "citealp": "oom", "citealt": "oom",
    "citeauthor": "oom", "citeyear": "oom", "footcite": "oom", "parencite": "oom", "footnote": "om",
    "footnotemark": "o", "footnotetext": "om", "footref": "m", "tablefootnote": "om", "tnote": "m", "ref": "m",
    "eqref": "m", "cref": "m", "Cref": "m", "autoref": "m", "label": "m", "hypertarget": "mm", "hspace": "m",
    "vspace": "m", "hskip": "d", "vskip": "d", "kern": "d", "phantom": "m", "hphantom": "m", "vphantom": "m",
    "rule": "omm", "setlength": "mm", "addtolength": "mm", "renewcommand": "mm", "caption": "om",
    "Tstrut": "", "Bstrut": "",
}  # fmt: skip
"""Commands that go with all their arguments; `d` is a length."""
LENGTH = re.compile(r"[ \t]*=?[ \t]*-?[0-9.]+[ \t]*(?:pt|em|ex|cm|mm|in|bp|mu|sp|pc)")
BESIDE = re.compile(r"\[[^\[\]]*\]|[ \t]+\[[0-9.]+[a-z]{2}[^\[\]]*\]")
"""An option of a command that goes: behind a blank it is a length, since a cell may begin with a bracket."""
PARENTHESES = re.compile(r"\([^()]*\)")
OPENING = {
    "bmatrix": "[", "Bmatrix": "[", "pmatrix": "(", "vmatrix": "[", "matrix": "", "smallmatrix": "", "array": "",
    "tabular": "", "tabular*": "", "aligned": "", "cases": "", "gathered": "", "split": "",
}  # fmt: skip
"""Environments within a cell, and the bracket that each draws."""
CLOSING = {"[": "]", "(": ")", "": ""}
COMMAND = re.compile(r"\\([A-Za-z]+\*?|.)", re.DOTALL)
OPTION = re.compile(r"[ \t]*\[[^\[\]]*\]")
EXPONENTS = {"2": "²", "3": "³"}
EXPONENT = re.compile(r"\^[ ]*(?:\{[ ]*([0-9]+)[ ]*\}|([0-9]))")
NOTE = re.compile(r"\^[ ]*(?:\{[^{}0-9]*\}|\\(?:dagger|ddagger|ast|star|circ)|\*)")
GROUPED = re.compile(r"(?<=[0-9])\{,\}(?=[0-9])")
MARKS = "{}$~&"
"""What means nothing by itself."""
SPECIAL = re.compile(r"[\\{}$~&'%^]")
"""What a text of LaTeX needs to be more than it says."""
LINE_COMMENT = re.compile(r"(?<!\\)%[^\r\n]*")


NAMES = {ord(sign): f" {name} " for name, sign in GREEK.items()}


def in_ascii(text: str) -> str:
    """A text in ASCII: Greek letters by their names, other forms of letters and digits plain, blanks for the rest."""
    plain = "".join(VARIANTS.get(c, c) for c in text).translate(NAMES)
    return "".join(c if c.isascii() else " " for c in normalize("NFKD", plain) if not combining(c))


class Unknown(Exception):
    """A command that may change what a cell means."""

    def __init__(self, name: str, start: int, end: int) -> None:
        super().__init__(name)
        self.name = name
        self.start = start
        self.end = end


class Mask:
    """A text of the same length as another, made piece by piece."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.made = list(text)

    def put(self, start: int, end: int, sign: str = "") -> None:
        """What stands between two places is this sign, or nothing."""
        self.made[start:end] = sign.ljust(end - start)[: max(end - start, 0)]

    def __str__(self) -> str:
        return "".join(self.made)


def group(text: str, start: int) -> int:
    """The end of the group in braces that begins at a place, behind its brace; the place itself where none does."""
    if not text.startswith("{", start):
        return start
    depth, place = 0, start
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        depth += (text[place] == "{") - (text[place] == "}")
        place += 1
        if depth == 0:
            return place
    return start


def blanks(text: str, place: int) -> int:
    """The place behind blanks."""
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


def latex(text: str) -> str:
    """LaTeX within a cell as plain text of the same length; raises `Unknown`."""
    if not SPECIAL.search(text):
        return text
    mask = Mask(text)
    for match in LINE_COMMENT.finditer(text):
        mask.put(*match.span())
    plain = str(mask)
    for match in GROUPED.finditer(plain):
        mask.put(*match.span(), "___")  # digits may have underscores between them
    for match in NOTE.finditer(plain):
        mask.put(*match.span())
    for match in EXPONENT.finditer(plain):
        digits = match[1] or match[2]
        mask.put(*match.span(), EXPONENTS.get(digits, f"^{digits}"))
    plain = str(mask)
    place = 0
    closing: list[str] = []
    while found := SPECIAL.search(plain, place):
        place = found.end()
        if found[0] == "\\":
            place = command(plain, found.start(), mask, closing)
        elif found[0] in MARKS or plain.startswith("''", found.start()):
            mask.put(found.start(), place)
    return str(mask)


def command(text: str, start: int, mask: Mask, closing: list[str]) -> int:
    """Mask the command that begins at a place; the place behind it."""
    match = COMMAND.match(text, start)
    if match is None:
        return start + 1
    name, end = match[1].removesuffix("*"), match.end()
    if match[1] == "\\":
        option = OPTION.match(text, end)
        end = option.end() if option else end
        mask.put(start, end, ";")
    elif not match[1].isalpha() and len(match[1]) == 1:
        mask.put(start, end, f" {match[1]}" if match[1] in "%#&_$" else "")
    elif name in {"begin", "end"}:
        end = environment(text, start, end, name == "begin", mask, closing)
    elif name == "frac":
        end = fraction(text, start, end, mask)
    elif name in SIGNS:
        mask.put(start, end, SIGNS[name])
    elif name in WRAPPERS:
        end = wrapper(text, start, end, name, mask)
    elif name in DROPPED or PLAIN_RULE.fullmatch(name):
        end = arguments(text, end, DROPPED.get(name, ""))
        mask.put(start, end)
    elif name in SILENT:
        mask.put(start, end)
    elif name == "ding":
        end = group(text, end)
        mask.put(start, end, "✓" if text[match.end() : end] in {"{51}", "{52}"} else "✗")
    else:
        raise Unknown(f"\\{name}", start, match.end())
    return end


def environment(text: str, start: int, end: int, begins: bool, mask: Mask, closing: list[str]) -> int:
    stop = group(text, end)
    name = text[end + 1 : stop - 1].strip()
    if name not in OPENING:
        raise Unknown(f"\\{'begin' if begins else 'end'}{{{name}}}", start, stop)
    if not begins:
        mask.put(start, stop, closing.pop() if closing else "")
        return stop
    closing.append(CLOSING[OPENING[name]])
    option = OPTION.match(text, stop)
    stop = option.end() if option else stop
    if name.startswith(("array", "tabular")):
        stop = group(text, stop)
    mask.put(start, stop, OPENING[name])
    return stop


def fraction(text: str, start: int, end: int, mask: Mask) -> int:
    middle = group(text, end)
    stop = group(text, middle)
    mask.put(start, end + 1)
    mask.put(middle - 1, middle + 1, "/")
    return middle + 1 if stop > middle else middle


def wrapper(text: str, start: int, end: int, name: str, mask: Mask) -> int:
    """Mask a command up to the argument that it shows, which is read on."""
    place = end
    for number in range(ARGUMENTS.get(name, 1)):
        while option := OPTION.match(text, place):
            place = option.end()
        place = blanks(text, place)
        if number < ARGUMENTS.get(name, 1) - 1:
            place = group(text, place) or place
    if name == "multirow" and text.startswith("*", place):
        place = blanks(text, place + 1)
    mask.put(start, place)
    return place


def arguments(text: str, place: int, wanted: str) -> int:
    """The place behind the arguments of a command, those that may be missing if they are there."""
    for kind in wanted:
        if kind == "m":
            begin = blanks(text, place)
            word = COMMAND.match(text, begin)
            place = word.end() if word else group(text, begin) if text.startswith("{", begin) else place
        else:
            form = {"o": BESIDE, "p": PARENTHESES, "d": LENGTH}[kind]
            found = form.match(text, place)
            place = found.end() if found else place
    return place


def rule(text: str) -> re.Match[str] | None:
    """The first line across the whole table in a stretch of LaTeX."""
    found = COMMAND.finditer(text)
    return next((word for word in found if word[1] in RULES or PLAIN_RULE.fullmatch(word[1])), None)


MARKUP = re.compile(
    r"(?P<sup><sup>[ ]*(?P<digits>[0-9]+)[ ]*</sup>)|(?P<tag><sup>[^<]*</sup>|</?[A-Za-z][^<>]*>)|(?P<pipe>\\\|)"
    r"|(?P<ticks>`+|\*\*)|(?P<times>&times;)|(?P<nbsp>&nbsp;)|(?P<amp>&amp;)"
)


def markdown(text: str) -> str:
    """Markup within a cell of Markdown as plain text of the same length; raises `Unknown`."""
    if not MARKUP.search(text):
        return text
    mask = Mask(text)
    for match in MARKUP.finditer(text):
        sign = {"pipe": " |", "times": "×", "amp": "&"}.get(match.lastgroup or "", "")
        if match["sup"]:
            sign = EXPONENTS.get(match["digits"], f"^{match['digits']}")
        mask.put(*match.span(), sign)
    return str(mask)


def inline(text: str) -> str:
    """What papers write in any table: formulas as LaTeX has them."""
    if "$" not in text and "\\" not in text:
        return text
    try:
        return latex(text)
    except Unknown:
        return text  # the cell will say what it cannot read
