import Testing

@testable import Dashboard

struct TargetTextTests {
  @Test(arguments: [
    ("http://127.0.0.1:80", "http://127.0.0.1:80"), ("/srv", "/srv"), ("www", "/home/a/www"), (".", "/home/a"),
    ("3000", "http://localhost:3000"), (":3000", "http://localhost:3000"), (":3000/x", "http://localhost:3000/x"),
    ("localhost:3000", "http://localhost:3000"), ("127.0.0.1:80", "http://127.0.0.1:80"),
    ("[::1]:80", "http://[::1]:80"),
    ("nas.local:8080/x", "http://nas.local:8080/x"), ("./3000", "/home/a/3000"), ("a3000", "/home/a/a3000"),
    ("./www", "/home/a/www"), ("../b", "/home/a/../b"), ("unix:/s", "unix:/s"), ("unix:s", "unix:/home/a/s"),
    ("ftp://x", "ftp://x"),
  ])
  func whatIsTypedIsSpelledOut(_ typed: String, _ target: String) {
    #expect(TargetText.spelledOut(typed, from: "/home/a") == target)
  }

  /// In a form of the dashboard, where there is no folder that paths could begin in.
  @Test(arguments: [
    ("3000", "http://localhost:3000"), (":3000", "http://localhost:3000"),
    ("localhost:3000/x", "http://localhost:3000/x"), ("[::1]:3000", "http://[::1]:3000"),
    ("127.0.0.1:80", "http://127.0.0.1:80"), ("/srv/3000", "/srv/3000"), ("http://a:1", "http://a:1"), ("30a", "30a"),
    ("", ""), ("localhost", "localhost"), ("unix:/run/x", "unix:/run/x"),
  ])
  func aPortIsEnough(_ typed: String, _ target: String) {
    #expect(TargetText.spelledOut(typed) == target)
  }
}
