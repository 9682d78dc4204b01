// yaml-cpp does the parsing; everything that it lets pass and that would
// mislead an operator (duplicate keys, a second document, control bytes that
// end the stream early, alias bombs) is caught here.
#include "settings/document.hpp"

#include <yaml-cpp/eventhandler.h>

#include <map>
#include <sstream>

namespace turnout::settings {
namespace {

problem at(const std::string& file, const YAML::Mark& mark, std::string message) {
  problem out;
  out.file = file;
  if (!mark.is_null()) out.line = mark.line + 1, out.column = mark.column + 1;
  out.message = std::move(message);
  return out;
}

std::string too_deep() {
  return "nested deeper than " + std::to_string(max_depth) + " levels, or an alias that contains itself";
}

/// Length of the UTF-8 sequence at `text[i]`; 0 when it is not one.
std::size_t sequence_length(std::string_view text, std::size_t i) noexcept {
  const auto byte = [&](std::size_t k) -> unsigned {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
  };
  const auto tail = [&](std::size_t k) { return (byte(k) & 0xC0U) == 0x80U; };
  const unsigned first = byte(i);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(i + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(i + 1) || !tail(i + 2)) return 0;
    const unsigned second = byte(i + 1);
    const bool overlong = first == 0xE0 && second < 0xA0, surrogate = first == 0xED && second >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(i + 1) || !tail(i + 2) || !tail(i + 3)) return 0;
    const unsigned second = byte(i + 1);
    return (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90) ? 0 : 4;
  }
  return 0;
}

/// False, with a problem, when the text holds what no configuration needs.
/// Byte 0x04 would make yaml-cpp stop reading as if the file ended there.
bool check_characters(const std::string& file, std::string_view text, problems& found) {
  YAML::Mark mark;
  mark.line = 0, mark.column = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control = length == 1 && (byte < 0x20 || byte == 0x7F) && byte != '\t' && byte != '\n' && byte != '\r';
    if (length == 0 || control) {
      found.push_back(
          at(file, mark, length == 0 ? "this byte is not valid UTF-8" : "control characters are not allowed"));
      return false;
    }
    if (byte == '\n')
      ++mark.line, mark.column = 0;
    else
      ++mark.column;
    i += length;
  }
  return true;
}

/// Ends the parsing early: yaml-cpp's own limit is 500 levels, of recursion.
class depth_exceeded : public YAML::Exception {
  using YAML::Exception::Exception;
};

/// Looks at a file before any of it is kept: how deep it goes, and whether one
/// document is all. YAML::LoadAll must not do that: at a comma after the first
/// document yaml-cpp 0.7 finds empty documents without end, until memory is gone.
class outline final : public YAML::EventHandler {
 public:
  /// Where a second document begins; null when there is none.
  static YAML::Mark second_document(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    outline seen;
    for (int documents = 0; documents < 2; ++documents) {
      seen.begin_ = YAML::Mark::null_mark();
      if (!parser.HandleNextDocument(seen)) return YAML::Mark::null_mark();
    }
    return seen.begin_;
  }

 private:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { value(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { value(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    value(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    value(mark), ++open_;
  }
  void OnSequenceEnd() override { --open_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    value(mark), ++open_;
  }
  void OnMapEnd() override { --open_; }

  void value(const YAML::Mark& mark) {
    if (begin_.is_null()) begin_ = mark;
    if (open_ >= max_depth) throw depth_exceeded(mark, too_deep());
  }

  YAML::Mark begin_ = YAML::Mark::null_mark();  ///< of the document's first value
  int open_ = 0;
};

/// Walks the tree once with every alias expanded.
class checker {
 public:
  checker(const std::string& file, problems& found) : file_(file), found_(found) {}

  /// False when the walk had to stop.
  bool walk(const YAML::Node& node, int depth) {
    if (depth > max_depth) return stop(node, too_deep());
    if (++nodes_ > max_nodes)
      return stop(node, "more than " + std::to_string(max_nodes) + " values, counting every use of an alias");
    if (node.IsSequence()) {
      for (const auto& item : node)
        if (!walk(item, depth + 1)) return false;
    } else if (node.IsMap()) {
      return walk_map(node, depth);
    }
    return true;
  }

 private:
  bool walk_map(const YAML::Node& node, int depth) {
    std::map<std::string, YAML::Mark> seen;
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) return stop(pair.first, "a key must be plain text");
      const auto [earlier, is_new] = seen.emplace(pair.first.Scalar(), pair.first.Mark());
      if (!is_new)
        found_.push_back(at(file_, pair.first.Mark(),
                            "duplicate key '" + pair.first.Scalar() + "'; first given in line " +
                                std::to_string(earlier->second.line + 1)));
      if (!walk(pair.second, depth + 1)) return false;
    }
    return true;
  }

  bool stop(const YAML::Node& node, std::string message) {
    found_.push_back(at(file_, node.Mark(), std::move(message)));
    return false;
  }

  const std::string& file_;
  problems& found_;
  std::size_t nodes_ = 0;
};

std::optional<document> parse_checked(std::string file, std::string_view text, secret_source secrets, problems& found) {
  const std::string owned(text);
  if (const YAML::Mark second = outline::second_document(owned); !second.is_null()) {
    found.push_back(at(file, second, "a file holds one YAML document; a second one begins here"));
    return std::nullopt;
  }
  YAML::Node root = YAML::Load(owned);
  if (root.IsNull() || !root.IsDefined()) {
    found.push_back(at(file, YAML::Mark::null_mark(), "the file is empty"));
    return std::nullopt;
  }
  if (!root.IsMap()) {
    found.push_back(at(file, root.Mark(), "the file must be a mapping (key: value)"));
    return std::nullopt;
  }
  const std::size_t before = found.size();
  checker(file, found).walk(root, 1);
  if (found.size() != before) return std::nullopt;
  return document{std::move(file), std::move(root), std::move(secrets)};
}

}  // namespace

std::optional<document> parse(std::string file, std::string_view text, secret_source secrets, problems& found) {
  if (text.size() > max_file_bytes) {
    found.push_back(
        at(file, YAML::Mark::null_mark(), "the file is larger than " + std::to_string(max_file_bytes / 1024) + " KiB"));
    return std::nullopt;
  }
  if (!check_characters(file, text, found)) return std::nullopt;
  const std::string name = file;
  try {
    return parse_checked(std::move(file), text, std::move(secrets), found);
  } catch (const depth_exceeded& error) {
    found.push_back(at(name, error.mark, error.msg));
  } catch (const YAML::Exception& error) {
    found.push_back(at(name, error.mark, "not valid YAML: " + error.msg));
  } catch (const std::exception&) {
    found.push_back(at(name, YAML::Mark::null_mark(), "not valid YAML"));
  }
  return std::nullopt;
}

}  // namespace turnout::settings
