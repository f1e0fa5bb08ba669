"""How the page looks: light and dark, on a phone, on a desk and on paper."""

from __future__ import annotations

__all__ = ["DARK", "LIGHT", "stylesheet"]

LIGHT = {
    "paper": "#ffffff", "raised": "#f5f7fa", "ink": "#1f2933", "muted": "#5a6470", "line": "#c9d0d8",
    "hair": "#e5e5e5", "blue": "#2f6fb5", "orange": "#b9540f", "purple": "#7b4ea3", "green": "#1a7f68",
    "ochre": "#856713", "rose": "#b0437a",
    "good-paper": "#e6f4ef", "bad-paper": "#fdeee4", "warn-paper": "#fdf6dd",
}  # fmt: skip
DARK = {
    "paper": "#14171d", "raised": "#1d222b", "ink": "#e6e9ee", "muted": "#a3adb9", "line": "#3b4452",
    "hair": "#2c333e", "blue": "#7db3ee", "orange": "#f0955a", "purple": "#bd98e3", "green": "#58c9a9",
    "ochre": "#d9b656", "rose": "#ec8fbb",
    "good-paper": "#12302a", "bad-paper": "#3a2113", "warn-paper": "#352c0d",
}  # fmt: skip
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"

RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark;scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 var(--font);font-variant-numeric:tabular-nums}
a{color:var(--blue)}
:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;padding:.5rem 1rem;background:var(--paper);z-index:9}
.page{display:grid;grid-template-columns:minmax(0,1fr);max-width:76rem;margin:0 auto;padding:0 1rem 3rem}
main,.summary{min-width:0}
nav{border-top:1px solid var(--line);padding:.7rem 0 0;margin-top:1.6rem;font-size:.9rem}
nav ul{display:flex;flex-wrap:wrap;gap:.15rem .9rem;margin:0;padding:0;list-style:none}
nav a{display:inline-block;padding:.2rem 0;text-decoration:none}
nav a:hover{text-decoration:underline}
h1{font-size:clamp(1.5rem,4vw,2.1rem);line-height:1.2;margin:1.4rem 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.35rem;line-height:1.25;margin:0 0 .3rem}
h3{font-size:1.05rem;margin:1.4rem 0 .3rem;overflow-wrap:anywhere}
p,li,dd,td,th{overflow-wrap:break-word}
p{margin:.5rem 0;max-width:46rem}
section{border-top:1px solid var(--line);margin-top:2.2rem;padding-top:1.3rem;scroll-margin-top:.5rem}
.what{font-size:1.08rem}
.lead{font-size:1.08rem}
.look{color:var(--muted);border-left:3px solid var(--blue);padding-left:.7rem}
.cut{color:var(--muted);font-size:.92rem}
.verdict,.warning,.next{border-radius:.5rem;padding:.7rem 1rem;margin:.8rem 0;max-width:46rem}
.verdict{background:var(--raised);border-left:4px solid var(--muted)}
.next{background:var(--raised)}
.next ol{margin:.3rem 0 0;padding-left:1.3rem}
.warning{background:var(--warn-paper);border-left:4px solid var(--ochre)}
.verdict.good{background:var(--good-paper);border-left:4px solid var(--green)}
.verdict.bad{background:var(--bad-paper);border-left:4px solid var(--orange)}
span.bad,p.lead.bad b,h3.bad{color:var(--orange)}
h3.good,p.well{color:var(--green)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem;margin:1rem 0;max-width:46rem}
.tile{background:var(--raised);border-radius:.5rem;padding:.7rem .9rem;border-top:3px solid var(--green)}
.tile.bad{border-top-color:var(--orange)}
.tile dt{font-size:.9rem;color:var(--muted)}
.tile dd{margin:0}
.tile .value{font-size:1.7rem;line-height:1.25;font-weight:600}
.tile .beside-it{font-size:.85rem;color:var(--muted)}
.scroll{overflow-x:auto;max-width:100%;margin:.8rem 0;
background:linear-gradient(90deg,var(--paper) 30%,transparent),
linear-gradient(270deg,var(--paper) 30%,transparent) 100% 0,
linear-gradient(90deg,var(--line),transparent),linear-gradient(270deg,var(--line),transparent) 100% 0;
background-repeat:no-repeat;background-size:2rem 100%,2rem 100%,.5rem 100%,.5rem 100%;
background-attachment:local,local,scroll,scroll}
table{border-collapse:collapse;font-size:.92rem}
caption{text-align:left;font-weight:600;padding:.2rem 0 .3rem;caption-side:top}
caption span{display:inline-block;position:sticky;left:0;max-width:calc(100vw - 2.2rem)}
th,td{padding:.28rem .7rem;border-bottom:1px solid var(--hair);text-align:right;vertical-align:top}
thead th{border-bottom:2px solid var(--line);color:var(--muted);font-weight:600;vertical-align:bottom}
tbody th{font-weight:500}
tbody th,.words{text-align:left}
tbody th,td.words{max-width:22rem}
tbody th{min-width:5.5rem}
td.words{min-width:9rem}
td:not(.words){white-space:nowrap}
th:first-child,td:first-child{padding-left:0}
td small,th small{display:block;font-size:.78rem;font-weight:400}
th small,td.none{color:var(--muted)}
td.barred{min-width:7rem;width:14rem;vertical-align:middle}
.bar{display:block;height:.7rem;background:var(--blue);border-radius:.15rem;min-width:1px}
figure{margin:.8rem 0;max-width:30rem;min-width:0}
figure.wide{max-width:100%}
figcaption{font-weight:600;font-size:.92rem}
svg{display:block;width:100%;height:auto}
svg text{fill:currentColor}
figure img{display:block;height:auto}
.pictures,.beside{display:grid;gap:.4rem 2rem;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));
align-items:start}
.beside>*{min-width:0}
pre{background:var(--raised);border-radius:.5rem;padding:.8rem 1rem;overflow-x:auto;font-size:.88rem;line-height:1.45}
code{font-family:ui-monospace,'SFMono-Regular',Consolas,'DejaVu Sans Mono',monospace}
.findings{padding-left:1.2rem}
.findings>li>h3{margin-top:.4rem}
details{margin:.6rem 0}
summary{cursor:pointer;color:var(--blue)}
dl dt{font-weight:600}
details dd{margin:0 0 .4rem 1rem}
footer{border-top:1px solid var(--line);margin-top:2.5rem;padding-top:.8rem;color:var(--muted);font-size:.88rem}
@media (max-width:40rem){
th,td{padding:.28rem .45rem}
td.barred{width:7rem}
}
@media (min-width:68rem){
figure img{max-width:100%}
.page{grid-template:"nav head" auto "nav main" 1fr / 13rem minmax(0,1fr);gap:0 3rem}
.summary{grid-area:head}
main{grid-area:main}
nav{grid-area:nav;position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;border:0}
nav{padding:2rem 0;margin:0}
nav ul{flex-direction:column}
}
@media print{
nav,.skip,details{display:none}
body{font-size:10pt}
.page{display:block;max-width:none;padding:0}
.scroll{overflow:visible;background:none}
figure img{max-width:100%}
figure,tr,.tiles,.verdict,.next,.warning{break-inside:avoid}
h2,h3,h3+p,.look,figcaption,caption{break-after:avoid}
section{margin-top:1.2rem;padding-top:.8rem}
.tile,.verdict,.next,.warning,pre,td.cell,.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}
pre{white-space:pre-wrap}
th,td{padding:.2rem .4rem}
.pictures,.beside{grid-template-columns:1fr 1fr}
}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
"""


def stylesheet() -> str:
    """All rules. Paper is always light."""
    dark = f"@media screen and (prefers-color-scheme:dark){{{_variables(DARK)}}}"
    return f"{_variables({**LIGHT, 'font': FONT})}{dark}{RULES}"


def _variables(values: dict[str, str]) -> str:
    return f":root{{{';'.join(f'--{name}:{value}' for name, value in values.items())}}}"
