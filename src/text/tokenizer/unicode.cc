#include "text/tokenizer/unicode.h"

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <memory>

#include "kith/error.h"

namespace kith::tokenizer {
namespace {

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::unsupported,
                std::string("Unicode ") + what + ": " + u_errorName(status));
  }
}

UChar32 as_icu(char32_t code) { return static_cast<UChar32>(code); }

icu::StringPiece piece(std::string_view text) {
  check_size(text);
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

const icu::Normalizer2& normalizer(Form form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* found = nullptr;
  switch (form) {
    case Form::nfc:
      found = icu::Normalizer2::getNFCInstance(status);
      break;
    case Form::nfd:
      found = icu::Normalizer2::getNFDInstance(status);
      break;
    case Form::nfkc:
      found = icu::Normalizer2::getNFKCInstance(status);
      break;
    case Form::nfkd:
      found = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  check(status, "normal forms");
  return *found;
}

}  // namespace

void check_size(std::string_view text) {
  if (text.size() > INT32_MAX) {
    throw Error(ErrorCode::invalid_argument,
                "a text of " + std::to_string(text.size()) + " bytes, expected at most 2147483647");
  }
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

std::size_t mend_utf8(std::string_view text, std::string& out) {
  if (is_ascii(text)) return 0;
  std::size_t bad = 0, copied = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if (next_code_point(text, at) != text::kInvalid || at - start != 1) continue;
    if (bad++ == 0) out.clear();
    out.append(text, copied, start - copied);
    append_utf8(text::kInvalid, out);
    copied = at;
  }
  if (bad != 0) out.append(text, copied, text.size() - copied);
  return bad;
}

bool is_space(char32_t code) { return u_isUWhiteSpace(as_icu(code)) != 0; }

bool is_control(char32_t code) {
  constexpr std::uint32_t kControl = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK;
  return (U_GET_GC_MASK(as_icu(code)) & kControl) != 0;
}

bool is_mark(char32_t code) { return u_charType(as_icu(code)) == U_NON_SPACING_MARK; }

bool is_numeric(char32_t code) { return (U_GET_GC_MASK(as_icu(code)) & U_GC_N_MASK) != 0; }

bool is_letter(char32_t code) { return (U_GET_GC_MASK(as_icu(code)) & U_GC_L_MASK) != 0; }

bool is_word(char32_t code) {
  constexpr std::uint32_t kKinds = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return (U_GET_GC_MASK(as_icu(code)) & kKinds) != 0 || u_isUAlphabetic(as_icu(code)) != 0;
}

bool is_punctuation(char32_t code) {
  if (code < 0x80) {
    return (code > 0x20 && code < 0x30) || (code > 0x39 && code < 0x41) ||
           (code > 0x5a && code < 0x61) || (code > 0x7a && code < 0x7f);
  }
  return (U_GET_GC_MASK(as_icu(code)) & U_GC_P_MASK) != 0;
}

bool is_cjk_ideograph(char32_t code) {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) ||
         (code >= 0x20000 && code <= 0x2a6df) || (code >= 0x2a700 && code <= 0x2ceaf) ||
         (code >= 0xf900 && code <= 0xfaff) || (code >= 0x2f800 && code <= 0x2fa1f);
}

int script_of(char32_t code) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(as_icu(code), &status);
  check(status, "scripts");
  return script;
}

std::string normal_form(std::string_view text, Form form) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode status = U_ZERO_ERROR;
  normalizer(form).normalizeUTF8(0, piece(text), sink, nullptr, status);
  check(status, "normal forms");
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  if (is_ascii(text)) {
    out.resize(text.size());
    std::transform(text.begin(), text.end(), out.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return out;
  }
  out.reserve(text.size() + 16);
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToLower("", 0, piece(text), sink, nullptr, status);
  check(status, "lower case");
  return out;
}

std::string without_marks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if ((text[at] & 0x80) == 0) {
      out.push_back(text[at++]);
    } else if (!is_mark(next_code_point(text, at))) {
      out.append(text, start, at - start);
    }
  }
  return out;
}

std::string_view trim_start(std::string_view text) {
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size(); start = at) {
    if (!is_space(next_code_point(text, at))) break;
  }
  return text.substr(start);
}

std::string_view trim_end(std::string_view text) {
  while (!text.empty()) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (text[at] & 0xc0) == 0x80) --at;
    const std::size_t start = at;
    if (!is_space(next_code_point(text, at))) break;
    text = text.substr(0, start);
  }
  return text;
}

std::vector<std::uint32_t> grapheme_ends(std::string_view text) {
  std::vector<std::uint32_t> ends;
  if (text.empty()) return ends;
  check_size(text);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  check(status, "graphemes");
  UText reader = UTEXT_INITIALIZER;
  utext_openUTF8(&reader, text.data(), static_cast<std::int64_t>(text.size()), &status);
  breaks->setText(&reader, status);
  check(status, "graphemes");
  for (std::int32_t at = breaks->next(); at != icu::BreakIterator::DONE; at = breaks->next()) {
    ends.push_back(static_cast<std::uint32_t>(at));
  }
  utext_close(&reader);
  return ends;
}

}  // namespace kith::tokenizer
