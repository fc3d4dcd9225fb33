import Codecs
import Foundation
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import Origins
import TestKit
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A folder in a folder, with neighbours that must never be seen.
private final class Site {
  let top: String
  var root: String { top + "/site" }

  init() throws {
    var template = Array("/tmp/hearth-files-XXXXXX".utf8CString)
    top = String(cString: mkdtemp(&template)!)
    for folder in ["", "/sub", "/empty", "/.git", "/sub/deep"] { mkdir(root + folder, 0o755) }
    mkdir(top + "/site-secret", 0o755)
    write("secret", "../secret.txt")
    write("secret", "../site-secret/secret.txt")
    write("hidden", ".hidden")
    write("hidden", ".git/config")
    write("<h1>home</h1>", "index.html")
    write("<h1>sub</h1>", "sub/index.html")
    write("0123456789", "digits.txt")
    write("", "nothing.bin")
    write("ä", "sub/deep/ümlaut 1.txt")
    symlink("../secret.txt", root + "/out.txt")
    symlink("..", root + "/up")
    symlink("/etc", root + "/etc")
    symlink("../site-secret", root + "/sibling")
    symlink(".git", root + "/git")
    symlink("sub", root + "/current")
    symlink("loop", root + "/loop")
    mkfifo(root + "/pipe", 0o644)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: top)
  }

  func write(_ text: String, _ path: String) {
    let file = fopen(root + "/" + path, "w")!
    fputs(text, file)
    fclose(file)
  }
}

@Suite(.timeLimit(.minutes(1))) struct FileFolderTests {
  private let site: Site
  private let folder: FileFolder

  init() throws {
    site = try Site()
    folder = try FileFolder(site.root)
  }

  @Test func servesFiles() async throws {
    let got = try await folder.get("/digits.txt?v=1")
    #expect(got.code == 200 && got.body == "0123456789" && got.length == 10)
    #expect(got["Content-Length"] == "10" && got["Content-Type"] == "text/plain; charset=utf-8")
    #expect(got["Accept-Ranges"] == "bytes" && got["ETag"]?.hasPrefix("\"") == true)
    #expect(got["Last-Modified"]?.hasSuffix("GMT") == true)
    #expect(try await folder.get("/").body == "<h1>home</h1>")
    #expect(try await folder.get("/").head.headerFields[.contentType] == "text/html; charset=utf-8")
    #expect(try await folder.get("/sub/").body == "<h1>sub</h1>")
    #expect(try await folder.get("/sub/deep/%C3%BCmlaut%201.txt").body == "ä")
    #expect(try await folder.get("/current/index.html").body == "<h1>sub</h1>", "a symlink that stays inside")
    let empty = try await folder.get("/nothing.bin")
    #expect(empty.code == 200 && empty.body.isEmpty && empty["Content-Length"] == "0")
  }

  @Test func headIsGetWithoutTheBody() async throws {
    let get = try await folder.get("/digits.txt")
    let head = try await folder.ask(.head, "/digits.txt", ["Range": "bytes=1-2"])
    #expect(head.head == get.head && head.body.isEmpty)
    let missing = try await folder.ask(.head, "/missing")
    #expect(missing.code == 404 && missing.body.isEmpty && missing["Content-Length"] != "0")
  }

  @Test func foldersWantTheirSlash() async throws {
    let got = try await folder.get("/sub?x=1")
    #expect(got.code == 301 && got["Location"] == "/sub/?x=1")
    #expect(try await folder.get("/empty/").code == 404)
    #expect(try await folder.get("/digits.txt/").code == 404)
  }

  @Test(arguments: [HTTPRequest.Method.post, .put, .delete, .options, .patch]) func othersAreNotAllowed(
    _ method: HTTPRequest.Method
  ) async throws {
    let got = try await folder.ask(method, "/digits.txt", body: Body("x"))
    #expect(got.code == 405 && got["Allow"] == "GET, HEAD")
  }

  @Test(arguments: [
    ("/../secret.txt", 404), ("/%2e%2e/secret.txt", 404), ("/%2E./secret.txt", 404), ("/sub/../../secret.txt", 404),
    ("/sub/%2e%2e/%2e%2e/secret.txt", 404), ("/..%2fsecret.txt", 404), ("/..%5csecret.txt", 404),
    ("/sub%2f..%2f..%2fsecret.txt", 404), ("/../site-secret/secret.txt", 404), ("/site-secret/secret.txt", 404),
    ("/out.txt", 404), ("/up/secret.txt", 404), ("/up/site/digits.txt", 200), ("/etc/passwd", 404), ("/etc", 404),
    ("/sibling/secret.txt", 404), ("/loop", 404), ("/pipe", 404), ("/.hidden", 404), ("/.git/config", 404),
    ("/git/config", 404), ("/%2ehidden", 404), ("/digits.txt%00", 400), ("/%00", 400), ("/%ZZ", 400), ("/%", 400),
    ("//etc/passwd", 400), ("///etc/passwd", 400), ("/sub//index.html", 404), ("http://x/digits.txt", 400),
    ("digits.txt", 400), ("*", 400), ("", 400), ("/\\..\\secret.txt", 400), ("/digits.txt\r\nX: y", 400),
    ("/digits.txt ", 200), ("/%64igits.txt", 200),
  ])
  func nothingOutsideIsServed(_ path: String, _ code: Int) async throws {
    let got = try await folder.get(path)
    #expect(got.code == code)
    #expect(!got.body.contains("secret") && !got.body.contains("hidden") && !got.body.contains("root:"))
  }

  @Test func rangesAreParts() async throws {
    let part = try await folder.get("/digits.txt", ["Range": "bytes=2-4"])
    #expect(part.code == 206 && part.body == "234" && part["Content-Range"] == "bytes 2-4/10")
    #expect(part["Content-Length"] == "3")
    #expect(try await folder.get("/digits.txt", ["Range": "bytes=-3"]).body == "789")
    let beyond = try await folder.get("/digits.txt", ["Range": "bytes=10-"])
    #expect(beyond.code == 416 && beyond["Content-Range"] == "bytes */10")
    #expect(try await folder.get("/digits.txt", ["Range": "bytes=0-1,4-5"]).code == 200)
  }

  @Test func rangesHoldForOneStateOfTheFile() async throws {
    let whole = try await folder.get("/digits.txt")
    for condition in [whole["ETag"]!, whole["Last-Modified"]!] {
      #expect(try await folder.get("/digits.txt", ["Range": "bytes=0-0", "If-Range": condition]).code == 206)
    }
    for condition in ["\"other\"", "W/" + whole["ETag"]!, "Thu, 01 Jan 1970 00:00:00 GMT"] {
      #expect(try await folder.get("/digits.txt", ["Range": "bytes=0-0", "If-Range": condition]).code == 200)
    }
  }

  @Test func whatIsKnownIsNotSentAgain() async throws {
    let first = try await folder.get("/digits.txt")
    let again = try await folder.get("/digits.txt", ["If-None-Match": "\"x\", \(first["ETag"]!)"])
    #expect(again.code == 304 && again.body.isEmpty && again["ETag"] == first["ETag"])
    #expect(try await folder.get("/digits.txt", ["If-Modified-Since": first["Last-Modified"]!]).code == 304)
    #expect(try await folder.get("/digits.txt", ["If-Match": "\"x\""]).code == 412)
    site.write("changed", "digits.txt")
    let changed = try await folder.get("/digits.txt", ["If-None-Match": first["ETag"]!])
    #expect(changed.code == 200 && changed.body == "changed")
  }

  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["HEARTH_MEMORY_TESTS"] != nil,
      "measures the whole process: scripts/test runs it alone"))
  func largeFilesComeInPartsAndWhole() async throws {
    let size = 512 << 20
    let file = open(site.root + "/large.bin", O_CREAT | O_RDWR, 0o644)
    ftruncate(file, off_t(size))
    pwrite(file, "end", 3, off_t(size - 3))
    close(file)
    let before = try residentBytes()
    let head = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/large.bin")
    var count = 0
    var last = ""
    try await folder.respond(to: HTTPXRequest(head), from: caller) { response in
      #expect(response.body.length == size)
      for try await part in response.body {
        #expect(part.readableBytes <= 65536)
        count += part.readableBytes
        last = String(buffer: part.getSlice(at: part.writerIndex - 3, length: 3)!)
      }
    }
    #expect(count == size && last == "end")
    #expect(try residentBytes() - before < 32 << 20)
    let tail = try await folder.get("/large.bin", ["Range": "bytes=-3"])
    #expect(tail.code == 206 && tail.body == "end")
  }

  @Test func aFileThatShrinksIsAnErrorNotAShortBody() async throws {
    let path = site.root + "/shrinks.bin"
    let file = open(path, O_CREAT | O_RDWR, 0o644)
    ftruncate(file, 1 << 20)
    close(file)
    let head = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/shrinks.bin")
    await #expect(throws: FileFolderError.self) {
      try await folder.respond(to: HTTPXRequest(head), from: caller) { response in
        for try await _ in response.body { truncate(path, 1000) }
      }
    }
  }

  @Test func aFolderThatIsNoneIsNamed() throws {
    for path in [site.root + "/missing", site.root + "/digits.txt"] {
      #expect { try FileFolder(path) } throws: { "\($0)".contains(path) }
    }
  }
}
