// The writer of lines before a reader that is slow, and while nobody closes it.
#include "proxy/telemetry/line_writer.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

using turnout::telemetry::line_writer;

namespace {

/// A pipe with a name, whose reader reads when it is asked to.
struct slow_reader {
  std::filesystem::path directory;
  int descriptor = -1;

  slow_reader() {
    std::string name = (std::filesystem::temp_directory_path() / "turnout-lines-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory = name;
    REQUIRE(::mkfifo(path().c_str(), 0600) == 0);
    descriptor = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(descriptor >= 0);
  }
  ~slow_reader() {
    ::close(descriptor);
    std::filesystem::remove_all(directory);
  }
  std::string path() const { return (directory / "pipe").string(); }

  /// What is there, waiting for it up to 30 s; empty when nobody writes any more.
  std::string read() const {
    pollfd waiting{descriptor, POLLIN, 0};
    REQUIRE(::poll(&waiting, 1, 30'000) == 1);
    std::string text(1 << 16, '\0');
    const ssize_t size = ::read(descriptor, text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
  }
};

}  // namespace

TEST_CASE("lines are written while the writer lives, urgent or not") {
  const slow_reader reader;
  std::string error;
  const auto writer = line_writer::open(reader.path(), 1000, error);
  REQUIRE(writer);
  const bool urgent = GENERATE(false, true);
  for (int round = 0; round < 3; ++round) {
    writer->append("line " + std::to_string(round), urgent);
    CHECK(reader.read() == "line " + std::to_string(round) + "\n");
  }
  writer->append("asked for", false);
  writer->flush();
  CHECK(reader.read() == "asked for\n");
}

TEST_CASE("what finds no room is lost whole, and counted") {
  const slow_reader reader;
  std::string error;
  auto writer = line_writer::open(reader.path(), 10'000, error);
  REQUIRE(writer);
  const std::string line(99, 'x');
  std::size_t appended = 0;
  // The pipe takes 64 KiB, then the writer's thread is stuck and lines wait.
  while (writer->dropped() < 5 && appended < 10'000'000) {
    writer->append(line, false);
    ++appended;
  }
  REQUIRE(writer->dropped() == 5);
  CHECK(appended > 100);
  writer->append(std::string(10'000, 'y'), true);
  CHECK(writer->dropped() == 6);

  std::thread end([&] { writer = nullptr; });
  std::string text;
  for (std::string more = reader.read(); !more.empty(); more = reader.read()) text += more;
  end.join();
  CHECK(text.size() == (appended - 5) * (line.size() + 1));
  CHECK(text.find('y') == std::string::npos);
  for (std::size_t at = 0; at < text.size(); at += line.size() + 1)
    REQUIRE(text.compare(at, line.size() + 1, line + "\n") == 0);
}
