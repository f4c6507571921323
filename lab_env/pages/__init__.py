"""Pages on which a trainee's work is seen: formgrader and feedback.

Two defences, each enough by itself:

- a page is made by our own templates, in which every word of a trainee is text:
  no markdown, no HTML, no formula, no link; pictures are PNG of a bounded size;
- a Content-Security-Policy that lets the browser run and load nothing but the
  scripts and styles of nbgrader and of this folder.

Covered: script in any spelling, remote pictures and styles, forms, frames, overlays,
marks that turn the direction of writing, terminal sequences, long lines, picture
bombs, forged tables (what a trainee made stands in a striped frame that says so).
Not covered: what a text says, and what a picture shows.
"""
