import HTTPEdge
import Origins
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
    ("/srv/www", .folder("/srv/www")),
  ])
  func reads(_ text: String, _ target: Target) throws {
    #expect(try Target(text) == target)
  }

  @Test(arguments: [
    "", "srv/www", "./www", "https://localhost", "ftp://x", "http://", "http:///x", "http://:80", "http://a:b",
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
}
