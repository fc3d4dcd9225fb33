import HTTPEdge
import Origins
import TLS
import Testing

struct TargetTests {
  @Test(arguments: [
    ("http://127.0.0.1:8080", Target.app(.tcp(host: "127.0.0.1", port: 8080), base: "")),
    ("http://localhost", .app(.tcp(host: "localhost", port: 80), base: "")),
    ("http://localhost/", .app(.tcp(host: "localhost", port: 80), base: "")),
    ("http://[::1]:3000/app/", .app(.tcp(host: "::1", port: 3000), base: "/app")),
    ("http://[::1]", .app(.tcp(host: "::1", port: 80), base: "")),
    ("http://a_b.local:1/x/y", .app(.tcp(host: "a_b.local", port: 1), base: "/x/y")),
    ("unix:/run/app.sock", .app(.unix(path: "/run/app.sock"), base: "")),
    ("unix:/run/app.sock:/api", .app(.unix(path: "/run/app.sock"), base: "/api")),
    ("https://nas", .app(.tls(host: "nas", port: 443, trust: .systemCAs), base: "")),
    ("https://192.168.1.2:5001/", .app(.tls(host: "192.168.1.2", port: 5001, trust: .systemCAs), base: "")),
    ("https://[fe80::1%eth0]/x/", .app(.tls(host: "fe80::1%eth0", port: 443, trust: .systemCAs), base: "/x")),
    ("/srv/www", .folder("/srv/www", isListed: true)),
  ])
  func reads(_ text: String, _ target: Target) throws {
    #expect(try Target(text) == target)
  }

  @Test(arguments: [
    "", "srv/www", "./www", "https://", "https:///x", "https://a:0", "https://u:p@a", "ftp://x", "http://", "http:///x",
    "http://:80", "http://a:b",
    "http://a:0", "http://a:65536", "http://a:+1", "http://u:p@a", "http://a b", "http://a/x?y", "http://a/x#y",
    "http://a/..", "http://a/%2e%2e/x", "http://a/%", "http://::1:80", "http://[::1", "http://[::1]x", "http://a:80:90",
    "unix:run/app.sock", "unix:", "unix:/a:b", "http://1.2.3.4\n:80",
  ])
  func saysWhatIsAllowed(_ text: String) {
    #expect {
      try Target(text)
    } throws: { error in
      "\(error)".contains("Allowed are http://host:port")
    }
  }

  private static let digest = (0..<32).map { UInt8(0xA0 + $0) }
  private static let digits = digest.map { String($0, radix: 16) }

  @Test(arguments: [
    digits.joined(), digits.joined(separator: ":"), digits.joined().uppercased(),
    digits.joined(separator: ":").uppercased(),
  ])
  func readsFingerprints(_ text: String) throws {
    let target = try Target("https://nas:1", fingerprint: text)
    #expect(target == .app(.tls(host: "nas", port: 1, trust: .fingerprint(Self.digest)), base: ""))
  }

  /// Joined, with one or more of the 32 exchanged for something else.
  private static func spoilt(_ count: Int, _ rest: String, separator: String = "") -> String {
    digits.prefix(count).joined(separator: separator) + rest
  }

  @Test(arguments: [
    "", "x", spoilt(31, ""), spoilt(32, "00"), spoilt(32, ":"), spoilt(31, "0g"), spoilt(31, "+1"), spoilt(31, "１１"),
    spoilt(32, "", separator: " "), spoilt(30, ":a0a1", separator: ":"), spoilt(32, ":", separator: ":"),
    "SHA256 Fingerprint=" + spoilt(32, "", separator: ":"),
  ])
  func saysWhatAFingerprintIs(_ text: String) {
    #expect {
      try Target("https://nas", fingerprint: text)
    } throws: { error in
      "\(error)".contains("openssl x509 -noout -fingerprint -sha256")
    }
  }

  @Test func insecureIsForThoseWhoSaySo() throws {
    let target = try Target("https://nas", insecure: true)
    #expect(target == .app(.tls(host: "nas", port: 443, trust: .insecure), base: ""))
  }

  @Test(arguments: [
    AppOptions(host: .browser), AppOptions(forwardedFor: true), AppOptions(gadget: true), AppOptions(timeout: 5),
    AppOptions(xml: true),
  ])
  func optionsOfAppsAreNoneOfFolders(_ options: AppOptions) throws {
    #expect(try Target("unix:/a", app: options) == .app(.unix(path: "/a"), base: ""))
    let error = #expect(throws: TargetError.self) { try Target("/srv/www", app: options) }
    #expect(error?.message.hasSuffix("is for apps only, and target is “/srv/www”.") == true)
  }

  @Test func listingIsForFolders() throws {
    #expect(try Target("/srv/www", listing: false) == .folder("/srv/www", isListed: false))
    #expect(try Target("/srv/www", listing: true) == .folder("/srv/www", isListed: true))
    for text in ["http://nas", "unix:/a", "https://nas"] {
      for listing in [true, false] {
        #expect {
          try Target(text, listing: listing)
        } throws: {
          "\($0)".contains("listing is for folders only")
        }
      }
    }
  }

  @Test func trustIsForTLS() {
    let digits = Self.digits.joined()
    #expect(throws: TargetError.self) { try Target("https://nas", fingerprint: digits, insecure: true) }
    for text in ["http://nas", "unix:/a", "/srv/www", "nas"] {
      #expect(throws: TargetError.self) { try Target(text, fingerprint: digits) }
      #expect(throws: TargetError.self) { try Target(text, insecure: true) }
    }
  }
}
