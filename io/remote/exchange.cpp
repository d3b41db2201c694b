#include "io/remote/exchange.hpp"

#include <weft/log.hpp>

#include "io/files/open_file.hpp"
#include "io/remote/access.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace weft::io::remote {
namespace {

const logging::Room room("io");

/// Where a server gives no parts of an object, so much is read of it to get to one.
constexpr std::uint64_t kMostSkipped = std::uint64_t{64} << 20;
constexpr std::size_t kMostComplaint = 16 << 10;

/// In which regions buckets were found to be.
/// Owns: their names.  Threading: any thread.
class Regions {
 public:
  std::string of(const std::string& bucket) {
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find(bucket);
    return found == known_.end() ? std::string() : found->second;
  }
  void learn(const std::string& bucket, const std::string& region) {
    const std::scoped_lock lock(mutex_);
    known_[bucket] = region;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> known_;
};

Regions& regions() {
  static Regions& all = *new Regions;
  return all;
}

/// A number that differs between two states of an object.
std::int64_t number_of(const std::string& text) {
  std::uint64_t sum = 14695981039346656037u;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return static_cast<std::int64_t>(sum >> 1);
}

const char* certificates() {
  for (const char* const name : {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && value[0] != 0) return value;
  }
  return nullptr;
}

}  // namespace

Exchange::Exchange(const Request& request, Reply& reply)
    : request_(request), reply_(reply), address_(address_of(request.path)) {}

Exchange::~Exchange() { drop(); }

void Exchange::drop() {
  if (handle_ != nullptr) curl()->easy_cleanup(handle_);
  if (headers_ != nullptr) curl()->slist_free(headers_);
  handle_ = nullptr;
  headers_ = nullptr;
}

CURL* Exchange::begin() {
  drop();
  ++tries_;
  status_ = 0;
  received_ = sent_ = first_ = 0;
  enough_ = too_long_ = false;
  etag_.clear();
  other_region_.clear();
  complaint_.clear();
  error_[0] = 0;
  reply_ = {};
  handle_ = curl()->easy_init();
  if (handle_ == nullptr) fail(request_.path, "cannot be reached: there is no memory");
  const auto set = [&](CURLoption option, auto value) { curl()->setopt(handle_, option, value); };
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_CONNECTTIMEOUT, 10L);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, 30L);
  set(CURLOPT_USERAGENT, "weft");
  set(CURLOPT_PATH_AS_IS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  set(CURLOPT_WRITEFUNCTION, &Exchange::take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Exchange::take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  if (const char* const file = certificates()) set(CURLOPT_CAINFO, file);
  if (request_.method == Request::Method::Head) set(CURLOPT_NOBODY, 1L);
  if (request_.method == Request::Method::Put) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &Exchange::give_body);
    set(CURLOPT_READDATA, static_cast<void*>(this));
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    headers_ = curl()->slist_append(headers_, "Expect:");
  }
  aim();
  if (request_.place == Request::kLast) {
    set(CURLOPT_RANGE, ("-" + std::to_string(request_.bytes)).c_str());
  } else if (request_.bytes != Request::kAll) {
    set(CURLOPT_RANGE,
        (std::to_string(request_.place) + "-" + std::to_string(request_.place + request_.bytes - 1)).c_str());
  }
  if (headers_ != nullptr) set(CURLOPT_HTTPHEADER, headers_);
  return handle_;
}

/// Gives the handle its address, and of s3 the signature.
void Exchange::aim() {
  const auto set = [&](CURLoption option, auto value) { curl()->setopt(handle_, option, value); };
  if (!address_.s3) {
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, 5L);
    set(CURLOPT_URL, request_.path.c_str());
    return;
  }
  region_ = regions().of(address_.bucket);
  const Access access = access_to(address_, region_);
  asked_region_ = access.region;
  keys_from_ = access.keys.any() ? access.keys_from : "";
  const bool listing = !request_.query.empty();
  const std::string path = access.before_key + (listing ? "" : percent_encoded(address_.key, true));
  set(CURLOPT_URL, (access.server + path + (listing ? "?" + request_.query : "")).c_str());
  if (!access.keys.any()) return;
  static constexpr const char* kMethods[] = {"GET", "HEAD", "PUT"};
  const bool open_body = request_.method == Request::Method::Put && access.server.rfind("https:", 0) == 0;
  const ToSign request{kMethods[static_cast<int>(request_.method)],
                       access.host,
                       path,
                       request_.query,
                       open_body ? "UNSIGNED-PAYLOAD" : sha256_hex(request_.body),
                       access.region,
                       signing_time()};
  for (const std::string& line : signed_headers(request, access.keys)) {
    headers_ = curl()->slist_append(headers_, line.c_str());
  }
}

std::size_t Exchange::take_body(char* data, std::size_t one, std::size_t count, void* self) {
  return static_cast<Exchange*>(self)->take(data, one * count);
}

std::size_t Exchange::take(const char* data, std::size_t bytes) {
  curl()->getinfo(handle_, CURLINFO_RESPONSE_CODE, &status_);
  if (status_ >= 300) {
    complaint_.append(data, std::min(bytes, kMostComplaint - std::min(kMostComplaint, complaint_.size())));
    return bytes;
  }
  std::size_t from = 0;
  std::size_t to = bytes;
  const bool part = request_.bytes != Request::kAll && request_.place != Request::kLast;
  if (part && status_ == 200) {
    // All of it comes: what lies in front of the part is left out, and what lies behind is not waited for.
    from =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, request_.place - std::min(request_.place, received_)));
    to = static_cast<std::size_t>(std::min<std::uint64_t>(
        bytes, request_.place + request_.bytes - std::min(request_.place + request_.bytes, received_)));
    enough_ = to < bytes;
    too_long_ = received_ > kMostSkipped && received_ < request_.place;
  }
  received_ += bytes;
  const auto* const first = reinterpret_cast<const std::byte*>(data);
  too_long_ = too_long_ || reply_.body.size() + (to - std::min(from, to)) > request_.most_bytes;
  if (too_long_) return 0;
  if (from < to) reply_.body.insert(reply_.body.end(), first + from, first + to);
  return enough_ ? 0 : bytes;
}

std::size_t Exchange::give_body(char* data, std::size_t one, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const std::size_t some = std::min<std::size_t>(one * count, exchange.request_.body.size() - exchange.sent_);
  if (some > 0) std::memcpy(data, exchange.request_.body.data() + exchange.sent_, some);
  exchange.sent_ += some;
  return some;
}

std::size_t Exchange::take_header(char* data, std::size_t one, std::size_t count, void* self) {
  static_cast<Exchange*>(self)->read_header(std::string(data, one * count));
  return one * count;
}

void Exchange::read_header(const std::string& line) {
  if (line.rfind("HTTP/", 0) == 0) {  // behind a redirection all begins anew
    etag_.clear();
    reply_.object_bytes = 0;
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return;
  std::string name = line.substr(0, colon);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
  const std::string value =
      begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(" \t\r\n") - begin + 1);
  if (name == "etag") etag_ = value;
  if (name == "last-modified" && etag_.empty()) etag_ = value;
  if (name == "x-amz-bucket-region") other_region_ = value;
  if (name == "content-length" && reply_.object_bytes == 0) {
    reply_.object_bytes = std::strtoull(value.c_str(), nullptr, 10);
  }
  if (name == "content-range") {  // bytes 0-99/1234
    const std::size_t slash = value.find('/');
    if (slash != std::string::npos) reply_.object_bytes = std::strtoull(value.c_str() + slash + 1, nullptr, 10);
    first_ = std::strtoull(value.c_str() + std::min(value.size(), value.find(' ') + 1), nullptr, 10);
  }
}

bool Exchange::end(CURLcode code) {
  curl()->getinfo(handle_, CURLINFO_RESPONSE_CODE, &status_);
  if (too_long_) fail(request_.path, "cannot be read: more came than it can hold, or its server gives no parts of it");
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && enough_)) return answered();
  const std::string said = error_[0] != 0 ? error_ : curl()->strerror(code);
  switch (static_cast<int>(code)) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return again("its server cannot be reached: " + said, 3);
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return again("the connection broke: " + said, kMostTries);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      fail(request_.path, "its server's certificate is not trusted: " + said +
                              "; AWS_CA_BUNDLE or SSL_CERT_FILE may name a file of certificates that are");
    default:
      fail(request_.path, "cannot be reached: " + said);
  }
}

bool Exchange::answered() {
  if (moved()) return false;
  if (status_ == 404 || status_ == 410) {
    if (told("Code") == "NoSuchBucket") fail(request_.path, "there is no bucket '" + address_.bucket + "'");
    reply_ = {};
    return true;
  }
  if (status_ == 403 && request_.may_be_refused) {
    reply_ = {};
    return true;
  }
  const bool part = request_.bytes != Request::kAll;
  reply_.changed_ns = etag_.empty() ? 0 : number_of(etag_);
  if (status_ == 416 && part) {  // no such part: the object is empty, or became shorter
    reply_.there = true;
    reply_.body.clear();
    return true;
  }
  if (status_ == 408 || status_ == 429 || status_ >= 500) {
    return again("its server answers " + std::to_string(status_), kMostTries);
  }
  if (status_ >= 300) refused();
  reply_.there = true;
  if (request_.method != Request::Method::Get) return true;
  if (status_ == 200 && request_.place == Request::kLast && reply_.body.size() > request_.bytes) {
    reply_.body.erase(reply_.body.begin(), reply_.body.end() - static_cast<std::ptrdiff_t>(request_.bytes));
  }
  const bool elsewhere = status_ == 206 && request_.place != Request::kLast && first_ != request_.place;
  if (elsewhere || (part && reply_.body.size() > request_.bytes)) {
    fail(request_.path, "its server gives other parts of it than those that are asked for");
  }
  return true;
}

/// Returns whether the bucket is in another region, which is asked the next time.
bool Exchange::moved() {
  if (!address_.s3 || (status_ != 301 && status_ != 307 && status_ != 400 && status_ != 403)) return false;
  const std::string region = other_region_.empty() ? told("Region") : other_region_;
  if (region.empty() || region == asked_region_ || tries_ > 2) return false;
  regions().learn(address_.bucket, region);
  pause_ = std::chrono::milliseconds(0);
  return true;
}

bool Exchange::again(const std::string& why, int most_tries) {
  if (tries_ >= most_tries) fail(request_.path, why + " (asked " + std::to_string(tries_) + " times)");
  curl_off_t wished = 0;
  curl()->getinfo(handle_, CURLINFO_RETRY_AFTER, &wished);
  const long doubled = static_cast<long>(kFirstPauseMs) << (tries_ - 1);
  // Requests that failed together do not come again together.
  const long spread = doubled / 4 * (number_of(request_.path + std::to_string(request_.place)) % 4) / 4;
  pause_ =
      std::chrono::milliseconds(std::max<long>(doubled + spread, 1000 * std::min<long>(30, static_cast<long>(wished))));
  room.info("'", shown_path(request_.path), "': ", why, "; asked again in ", pause_.count(), " ms");
  return false;
}

std::string Exchange::told(const char* name) const {
  const std::string open = "<" + std::string(name) + ">";
  const std::size_t begin = complaint_.find(open);
  const std::size_t end = complaint_.find('<', begin + open.size());
  if (begin == std::string::npos || end == std::string::npos || end - begin > 200) return {};
  return complaint_.substr(begin + open.size(), end - begin - open.size());
}

void Exchange::refused() const {
  const std::string code = told("Code");
  const std::string answer = std::to_string(status_) + (code.empty() ? "" : " " + code);
  if (status_ == 412) fail(request_.path, "changed while it was read; open it again");
  if (status_ != 401 && status_ != 403 && (!address_.s3 || status_ != 400)) {
    fail(request_.path, "its server answers " + answer);
  }
  std::string hint;
  if (!address_.s3) {
    hint = "the address may need a name and a password, or a signature that has not run out";
  } else if (keys_from_.empty()) {
    hint =
        "it was asked for without keys; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials, give them";
  } else if (code == "SignatureDoesNotMatch" || code == "InvalidAccessKeyId") {
    hint = "the keys of " + keys_from_ + " are not this store's";
  } else if (code == "ExpiredToken" || code == "TokenRefreshRequired") {
    hint = "the keys of " + keys_from_ + " have run out";
  } else if (code == "RequestTimeTooSkewed") {
    hint = "this machine's clock is wrong";
  } else {
    hint = "the keys of " + keys_from_ + " do not open it, or it is not there and they may not list the bucket";
  }
  fail(request_.path, "access is refused (" + answer + "): " + hint);
}

}  // namespace weft::io::remote
