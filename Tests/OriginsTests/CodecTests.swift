import Codecs
import HTTPTypes
import Testing

@testable import Origins

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

struct CodecTests {
  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
  ])
  func dates(_ seconds: Int, _ text: String) {
    #expect(HTTPDate.text(seconds) == text)
    #expect(HTTPDate.seconds(text) == seconds)
  }

  @Test func oldDates() {
    #expect(HTTPDate.seconds("Sunday, 06-Nov-94 08:49:37 GMT") == 784_111_777)
    #expect(HTTPDate.seconds("Sun Nov  6 08:49:37 1994") == 784_111_777)
  }

  @Test(arguments: ["", "yesterday", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "1 2 3 4 5 6 7"])
  func noDates(_ text: String) {
    #expect(HTTPDate.seconds(text) == nil)
  }

  @Test(arguments: [
    (nil, ByteRange.whole), ("bytes=0-", .part(0...9)), ("bytes=0-0", .part(0...0)), ("bytes=3-5", .part(3...5)),
    ("bytes=3-99", .part(3...9)), ("bytes=-3", .part(7...9)), ("bytes=-99", .part(0...9)), ("BYTES=1-2", .part(1...2)),
    ("bytes= 1 - 2", .part(1...2)), ("bytes=10-", .unsatisfiable), ("bytes=10-20", .unsatisfiable),
    ("bytes=-0", .unsatisfiable), ("bytes=5-3", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole),
    ("bytes=0-1,3-4", .whole), ("lines=1-2", .whole), ("bytes=+1-2", .whole), ("", .whole),
    ("bytes=0-99999999999999999999999", .part(0...9)), ("bytes=99999999999999999999999-", .unsatisfiable),
  ])
  func ranges(_ field: String?, _ range: ByteRange) {
    #expect(ByteRange(field, size: 10) == range)
  }

  @Test func nothingIsInAnEmptyFile() {
    #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
    #expect(ByteRange("bytes=-5", size: 0) == .unsatisfiable)
    #expect(ByteRange(nil, size: 0) == .whole)
  }

  @Test(arguments: [
    ("/", FilePath.folder([])), ("/a/", .folder(bytes("a/"))), ("/a", .file(bytes("a"))),
    ("/a/b.txt?x=/../", .file(bytes("a/b.txt"))), ("/%41%20b", .file(bytes("A b"))), ("/a%2Fb", .hidden),
    ("/.a", .hidden), ("/a/.b/c", .hidden), ("/%2ea", .hidden),
    ("/..", .hidden), ("/a/%2e%2e/b", .hidden), ("/./a", .file(bytes("a"))),
    ("/a/./b/.", .folder(bytes("a/b/"))), ("/%2e", .folder([])), ("/./../a", .hidden), ("/a//b", .hidden),
    ("/%00", .bad), ("/a%", .bad),
    ("/%ZZ", .bad), ("/%4", .bad), ("//a", .bad), ("/\\a", .bad), ("a", .bad), ("*", .bad), ("", .bad),
    ("http://x/a", .bad), ("/a#b", .bad), ("/a b", .bad), ("/%ff", .file([0xFF])),
    ("/%c3%a4", .file(bytes("ä"))), ("/%e4/", .folder([0xE4, 0x2F])), ("/a\\..\\b", .file(bytes("a\\..\\b"))),
  ])
  func paths(_ target: String, _ path: FilePath) {
    #expect(FilePath(target) == path)
  }

  @Test(arguments: [
    ("http://h:1/x?y#z", "/x?y#z"), ("HTTP://H:1", "/"), ("http://h:1?q", "/?q"), ("//h:1/x", "/x"),
    ("http://h:1//evil", "/.//evil"), ("http://h:1/\\evil", "/./\\evil"), ("http://h:10/x", nil), ("http://h/x", nil),
    ("https://h:1/x", nil), ("/x", nil), ("x", nil), ("", nil), ("http://h:1@evil/x", nil),
    ("http://localhost:1/x", "/x"), ("http://127.0.0.1:1", "/"), ("//[::1]:1/x", "/x"), ("http://localhost/x", nil),
    ("http://[::1]/x", nil), ("http://127.0.0.1:1.evil/x", nil), ("http:/x", nil), ("http:x", nil),
  ])
  func ownAddresses(_ reference: String, _ relative: String?) {
    #expect(OwnAddress(scheme: "http", authority: "h:1", base: "").relative(reference) == relative)
  }

  @Test(arguments: [
    ("https://h:1/x?y#z", "/x?y#z"), ("HTTPS://H:1", "/"), ("//h:1/x", "/x"), ("http://h:1/x", nil),
  ])
  func ownAddressesOverTLS(_ reference: String, _ relative: String?) {
    #expect(OwnAddress(scheme: "https", authority: "h:1", base: "").relative(reference) == relative)
  }

  @Test(arguments: [
    ("http://h/x", "/x"), ("http://h:80/x", "/x"), ("http://h:/x", "/x"), ("http://localhost/x", "/x"),
    ("//localhost:80/x", "/x"), ("http://h:8080/x", nil), ("https://h/x", nil),
  ])
  func ownAddressesAtTheUsualPort(_ reference: String, _ relative: String?) {
    #expect(OwnAddress(scheme: "http", authority: "h", base: "").relative(reference) == relative)
  }

  @Test(arguments: [
    ("http://h:1/base/x", "/x"), ("http://h:1/base", "/"), ("/base/x?y", "/x?y"), ("/base?y", "/?y"),
    ("/bases/x", "/bases/x"), ("/base//evil", "/.//evil"), ("//evil/base/x", nil), ("x", nil),
  ])
  func ownAddressesBelowABase(_ reference: String, _ relative: String?) {
    #expect(OwnAddress(scheme: "http", authority: "h:1", base: "/base").relative(reference) == relative)
  }

  @Test(arguments: [
    ("If-None-Match", "\"a\"", Validators.Verdict.notModified), ("If-None-Match", "W/\"a\"", .notModified),
    ("If-None-Match", "\"x\", \"a,b\" ,W/\"a\"", .notModified), ("If-None-Match", "*", .notModified),
    ("If-None-Match", "\"b\"", .proceed), ("If-None-Match", "a", .proceed), ("If-None-Match", "\"a", .proceed),
    ("If-Match", "\"a\"", .proceed), ("If-Match", "*", .proceed), ("If-Match", "W/\"a\"", .preconditionFailed),
    ("If-Match", "\"b\"", .preconditionFailed), ("If-Modified-Since", HTTPDate.text(100), .notModified),
    ("If-Modified-Since", HTTPDate.text(99), .proceed), ("If-Modified-Since", "soon", .proceed),
    ("If-Unmodified-Since", HTTPDate.text(99), .preconditionFailed),
    ("If-Unmodified-Since", HTTPDate.text(100), .proceed),
  ])
  func conditions(_ name: String, _ value: String, _ verdict: Validators.Verdict) {
    let validators = Validators(entityTag: "\"a\"", modified: 100)
    #expect(validators.verdict([HTTPField.Name(name)!: value]) == verdict)
  }

  @Test func tagsOutrankDates() {
    let validators = Validators(entityTag: "\"a\"", modified: 100)
    #expect(validators.verdict([.ifNoneMatch: "\"b\"", .ifModifiedSince: HTTPDate.text(100)]) == .proceed)
    #expect(validators.verdict([.ifMatch: "\"a\"", .ifUnmodifiedSince: HTTPDate.text(1)]) == .proceed)
  }

  @Test func mediaTypes() {
    #expect(MediaTypes.type(ofFileNamed: "index.HTML") == "text/html; charset=utf-8")
    #expect(MediaTypes.type(ofFileNamed: "a.b.mjs") == "text/javascript; charset=utf-8")
    #expect(MediaTypes.type(ofFileNamed: "photo.jpeg") == "image/jpeg")
    #expect(MediaTypes.type(ofFileNamed: "Makefile") == "application/octet-stream")
    #expect(MediaTypes.type(ofFileNamed: "x.") == "application/octet-stream")
    #expect(MediaTypes.isPicture("image/jpeg") && !MediaTypes.isPicture("image/heic"))
    #expect(!MediaTypes.isPicture("video/mp4"))
  }
}
