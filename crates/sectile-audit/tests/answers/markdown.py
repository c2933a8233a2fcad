"""Parses Markdown as GitHub does: values of the input are code, and never markup, links or HTML."""

import sys

from markdown_it import MarkdownIt

(path,) = sys.argv[1:]
text = open(path, encoding="utf-8").read()
parser = MarkdownIt("gfm-like", {"linkify": True, "html": True})
tokens = parser.parse(text)
inline = [child for token in tokens for child in token.children or []]
html = [token.content for token in tokens + inline if token.type.startswith("html")]
assert html == ["<!-- sectile audit -->\n"], html
assert not [token.type for token in inline if token.type.startswith(("link", "image", "em_", "s_"))]
code = [token.content for token in inline if token.type == "code_inline"]
assert any("<script>" in value for value in code), "the hostile values are there"
for token in inline:
    if token.type == "text":
        assert "script" not in token.content and "\u202e" not in token.content, token.content
width = 0
for token in tokens:
    if token.type == "thead_open":
        width = 0
    elif token.type == "th_open":
        width += 1
    elif token.type == "tr_open":
        cells = 0
    elif token.type == "td_open":
        cells += 1
    elif token.type == "tr_close" and width and cells:
        assert cells == width, (cells, width)
headings = [inline.content for opened, inline in zip(tokens, tokens[1:]) if opened.type == "heading_open"]
assert headings[0].startswith("Audit of") and "Refused first" in headings, headings
print(f"read: {len(code)} values in {len(text)} bytes")
