// An open load: requests arrive at random moments with a given mean rate
// (a Poisson process, the same moments in every run), whether or not earlier
// ones have been answered. A latency runs from the moment at which the request
// was due, so that a server that stalls cannot hide it.
// Usage: paced_load PORT RATE SECONDS CONNECTIONS REQUEST_FILE
// The file holds one whole HTTP request; every ######### in it becomes the
// request's number. The first second is sent, but not measured.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::string_view placeholder = "#########";
constexpr nanoseconds warm_up = std::chrono::seconds(1), patience = std::chrono::seconds(10);

struct plan {
  std::uint16_t port;
  double rate, seconds;
  std::size_t connections;
  std::string request;
};

struct connection {
  int socket = -1;
  std::optional<nanoseconds> due;  ///< of the request under way
  std::string answer;
};

struct tally {
  std::vector<double> latencies_ms, lateness_ms;
  std::map<int, std::size_t> statuses;
};

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

int dial(std::uint16_t port) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) fail("cannot connect");
  const int yes = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return made;
}

/// The status, once the answer is whole.
std::optional<int> complete(const std::string& answer) {
  const auto head = answer.find("\r\n\r\n");
  if (head == std::string::npos) return std::nullopt;
  std::string fields = answer.substr(0, head);
  std::transform(fields.begin(), fields.end(), fields.begin(), [](unsigned char each) { return std::tolower(each); });
  const auto length = fields.find("\r\ncontent-length:");
  if (length == std::string::npos) fail("an answer without Content-Length");
  const std::size_t body = std::strtoul(fields.c_str() + length + 17, nullptr, 10);
  if (answer.size() < head + 4 + body) return std::nullopt;
  return std::atoi(answer.c_str() + 9);
}

class load {
 public:
  explicit load(plan what) : plan_(std::move(what)), connections_(plan_.connections), polled_(plan_.connections) {
    for (std::size_t at = 0; at < plan_.connections; ++at) {
      connections_[at].socket = dial(plan_.port);
      polled_[at] = {connections_[at].socket, POLLIN, 0};
      idle_.push_back(at);
    }
    for (auto at = plan_.request.find(placeholder); at != std::string::npos;
         at = plan_.request.find(placeholder, at + 1))
      numbers_at_.push_back(at);
  }
  load(const load&) = delete;
  load& operator=(const load&) = delete;
  ~load() {
    for (const connection& each : connections_)
      if (each.socket >= 0) ::close(each.socket);
  }

  tally run() {
    std::mt19937_64 random(1);
    std::exponential_distribution<double> gap(plan_.rate);
    const nanoseconds last = warm_up + nanoseconds(static_cast<std::int64_t>(plan_.seconds * 1e9));
    nanoseconds next{0};
    begun_ = clock_type::now();
    while (next < last || !waiting_.empty() || under_way_ > 0) {
      for (; next < last && next <= now(); next += nanoseconds(static_cast<std::int64_t>(gap(random) * 1e9)))
        waiting_.push_back(next);
      while (!waiting_.empty() && !idle_.empty()) send();
      if (now() > last + patience) fail("answers are missing after the end");
      receive(next < last ? std::max(next - now(), nanoseconds(0)) : nanoseconds(std::chrono::milliseconds(50)));
    }
    return std::move(result_);
  }

 private:
  nanoseconds now() const { return clock_type::now() - begun_; }

  void send() {
    connection& through = connections_[idle_.front()];
    idle_.pop_front();
    char digits[16];
    std::snprintf(digits, sizeof digits, "%09zu", ++number_);
    for (const std::size_t at : numbers_at_) plan_.request.replace(at, placeholder.size(), digits);
    through.due = waiting_.front();
    waiting_.pop_front();
    if (*through.due >= warm_up)
      result_.lateness_ms.push_back(static_cast<double>((now() - *through.due).count()) / 1e6);
    const auto sent = ::send(through.socket, plan_.request.data(), plan_.request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(plan_.request.size())) fail("a request was not taken whole");
    ++under_way_;
  }

  void receive(nanoseconds at_most) {
    const timespec limit{static_cast<time_t>(at_most.count() / 1'000'000'000), at_most.count() % 1'000'000'000};
    if (::ppoll(polled_.data(), polled_.size(), &limit, nullptr) <= 0) return;
    for (std::size_t at = 0; at < polled_.size(); ++at)
      if (polled_[at].revents != 0) read(at);
  }

  void read(std::size_t at) {
    connection& from = connections_[at];
    char part[16384];
    const auto got = ::recv(from.socket, part, sizeof part, MSG_DONTWAIT);
    if (got <= 0 || !from.due) fail("a connection was closed");
    from.answer.append(part, static_cast<std::size_t>(got));
    const auto status = complete(from.answer);
    if (!status) return;
    if (*from.due >= warm_up) {
      result_.latencies_ms.push_back(static_cast<double>((now() - *from.due).count()) / 1e6);
    }
    ++result_.statuses[*status];
    from.due.reset();
    from.answer.clear();
    --under_way_;
    idle_.push_back(at);
  }

  plan plan_;
  std::vector<connection> connections_;
  std::vector<pollfd> polled_;
  std::vector<std::size_t> numbers_at_;
  std::deque<std::size_t> idle_;     ///< taken in turns: servers close connections that stay silent
  std::deque<nanoseconds> waiting_;  ///< when each was due
  std::size_t under_way_ = 0, number_ = 0;
  clock_type::time_point begun_;
  tally result_;
};

double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) fail("nothing was measured");
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

void print(tally from) {
  std::sort(from.latencies_ms.begin(), from.latencies_ms.end());
  std::sort(from.lateness_ms.begin(), from.lateness_ms.end());
  std::printf("{\"measured\": %zu, \"late_p99_ms\": %.4f", from.latencies_ms.size(), quantile(from.lateness_ms, 0.99));
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}})
    std::printf(", \"%s_ms\": %.4f", name, quantile(from.latencies_ms, share));
  std::printf(", \"statuses\": {");
  const char* separator = "";
  for (const auto& [status, count] : from.statuses) {
    std::printf("%s\"%d\": %zu", separator, status, count);
    separator = ", ";
  }
  std::printf("}}\n");
}

std::string contents(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read " + std::string(path));
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: paced_load PORT RATE SECONDS CONNECTIONS REQUEST_FILE\n";
    return 2;
  }
  try {
    // Sleeps end when they should, not up to 50 microseconds later.
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    plan what{static_cast<std::uint16_t>(std::stoul(argv[1])), std::stod(argv[2]), std::stod(argv[3]),
              std::stoul(argv[4]), contents(argv[5])};
    load work(std::move(what));
    print(work.run());
  } catch (const std::exception& failed) {
    std::cerr << "paced_load: " << failed.what() << '\n';
    return 1;
  }
}
