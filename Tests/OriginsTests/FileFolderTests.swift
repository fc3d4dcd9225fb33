import Codecs
import Foundation
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import NIOPosix
import Origins
import TestKit
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
    #expect(try await folder.get("/digits.txt/").code == 404)
    #expect(try await folder.get("/missing/").code == 404)
  }

  @Test(arguments: [HTTPRequest.Method.post, .put, .delete, .options, .patch]) func othersAreNotAllowed(
    _ method: HTTPRequest.Method
  ) async throws {
    let got = try await folder.ask(method, "/digits.txt", body: Body("x"))
    #expect(got.code == 405 && got["Allow"] == "GET, HEAD")
  }

  @Test func namesAreBytes() async throws {
    site.write("latin", bytes: Array("caf".utf8) + [0xE9] + Array(".txt".utf8))
    let got = try await folder.get("/caf%E9.txt")
    #expect(got.code == 200 && got.body == "latin" && got["Content-Type"] == "text/plain; charset=utf-8")
    #expect(try await folder.get("/caf%C3%A9.txt").code == 404, "another name, though a reader may see the same")
  }

  @Test func whatMayNotBeReadIsForbidden() async throws {
    for path in ["locked.txt", "closed/page.txt"] { site.write("locked", path) }
    chmod(site.root + "/locked.txt", 0)
    chmod(site.root + "/closed", 0)
    defer { chmod(site.root + "/closed", 0o755) }
    try await Unprivileged.with { threads in
      let folder = try FileFolder(site.root, threads: threads)
      for path in ["/locked.txt", "/closed/page.txt", "/closed/"] {
        let got = try await folder.get(path)
        #expect(got.code == 403 && got.body.contains("may not read"))
      }
      #expect(try await folder.get("/missing.txt").code == 404)
      #expect(try await folder.get("/digits.txt").code == 200)
    }
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
      #expect { try FileFolder(path) } throws: { "\($0)" == "\(path): there is no such folder" }
    }
  }

  @Test func aFolderThatMayNotBeReadIsNoneToServe() async throws {
    chmod(site.root + "/sub", 0o711)
    chmod(site.root + "/empty", 0o744)
    defer { chmod(site.root + "/sub", 0o755) }
    try await Unprivileged.with { threads in
      try await threads.runIfActive { [root = site.root] in
        for (path, isListed) in [("/sub", true), ("/empty", true), ("/empty", false)] {
          #expect {
            try FileFolder(root + path, isListed: isListed)
          } throws: {
            "\($0)".hasPrefix("\(root + path): this folder cannot be read") && "\($0)".contains("setfacl")
          }
        }
        _ = try FileFolder(root + "/sub", isListed: false)
      }
    }
  }
}
