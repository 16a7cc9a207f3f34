// Pieces of SVG pages.
#pragma once

#include <string>

namespace kith::cli {

// The start of a white page; "</svg>" ends it.
std::string svg_canvas(double width, double height);
// `anchor`: "start", "middle" or "end". The text is escaped.
std::string svg_text(double x, double y, const char* anchor, const std::string& text);
std::string svg_line(double x1, double y1, double x2, double y2, const char* colour);

}  // namespace kith::cli
