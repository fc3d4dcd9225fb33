import NIOCore
import Testing

@testable import CLI
@testable import Codecs

struct InflateTests {
  /// Made by zlib 1.2.13: one block of dynamic codes in gzip, and several references far back.
  private static let dynamic =
    """
    H4sIAAAAAAACAyVSCwoFIQg866QmKYLg/eGN+1iI2uanpq/hfoBO7zGIwEUBKEZQan4KV9zb4E/QFwFEH8NArhMod+pxwyOl0GaPh0nhWjPeUD\
    U8etCFjAaelsItR828lmV5uNFYEPHkJk2piTm4G+gaF/4x1F3lKhIWLLNpeRVUXKTsxaVNuD7owaMMs5NctllYbyzhhBGZ/J23JOlXn0Wdfo8m\
    mk+cbAPDy6naS+qF0aYpTh7djx0aBC1oArYimO1aPnWFjgtuWs2mXiGacL+UgYl6GXqelG+BUZ4SJryP94VhD5eY2zKqb/GRvHDXPpfZFjTrhE\
    +UQzvt/z5Pt/lHF0hm1YeZwWZpftvZzM7cljGbMw4lmeLOp8sCtT8Q+8TONWLI85C5qp/OjiTRZXwHcJb+ajW2zsvPO7Azjm988qXhUo/PzKi4\
    3VXO1DnhXvey1VtsGvkcwufxvkltD5xJ+DLxAyqqVGq8AgAA
    """
  private static let repeated =
    """
    eNrt0luqBCEMRdGxRo1BJSA4f7gn1b93CJuGoqo1D+Ma61pEM7sn7nPr3aIPMxv2uuXwaGmzR1y3WN3utG22b3N71mdoY58vl170qVR23Zc+3u\
    l65ntxbQy3pRqqoohrtkYOCz9vuEdWlJ+ml7Frk/Yr9qioctprNquh6XroH7eclTlTAbW5v+pWS1sZa2evhakyO8ay0WwpjXpXcHr1ovPuCmjb\
    tfPo7zOzH9XLr0S2u5aKjLN6KNpNzfeWWYvKt11lrpIrTtWbNxXYKqEiplFs9Tb9rBHDxotu83i+6roSqYjeK+SZ9xHpdt/qGXXAnXH69q71vb\
    5mNMMKPDUyZa/D76OFiHHbVG+16VUl+5Lq0tqN35zfvR5feLd+Tua35z2rXq5+Ndlz7jk1MvUWakcp1cV8X14dcNxvk+akyV3bT3Gx+5tjfHnq\
    So7ddDmw0NFXVo4659Qv7ra64/1dX/+60SOXmLky1nSH7jR0w7eqp1e+2ntc8bqEr8b6bqpmEOpEMm1gF7vYxS52sYtd7GIXu9jFLnaxi13sYh\
    e72MUudrGLXexiF7vYxS52sYtd7GIXu9jFLnaxi13sYhe72MUudrGLXexiF7vYxS52sYtd7GIXu9jFLnaxi13sYhe72MUudrGLXexiF7vYxS52\
    sYtd7GIXu9jFLnaxi13sYhe72MUudrGLXexiF7vYxS52sYtd7GIXu9jFLnaxi13sYhe72MUudrGLXexiF7vYxS52sYtd7GIXu9jFLnaxi13sYh\
    e72MUudrGLXexiF7vYxS52sYtd7GIXu9jFLnaxi13s/mP3DyH7Jbg=
    """

  private static let hello = Array("hello world, hello home, hello hello hello\n".utf8)

  /// Bytes that a simple generator makes, the same as whoever made the samples.
  private static let noise: [UInt8] = {
    var state = 1
    return (0..<700).map { _ in
      state = (state * 1_103_515_245 + 12345) & 0x7FFF_FFFF
      return UInt8(97 + ((state >> 16) % 7) * ((state >> 24) % 4))
    }
  }()

  private static func inflated(_ text: String, _ encoding: String, parts: Int) throws -> [UInt8] {
    var rest = try #require(Base64.decode(text))
    var decoder = try #require(try Inflate.Decoder(encoding))
    var result: [UInt8] = []
    while let part = rest.readSlice(length: min(parts, rest.readableBytes)), part.readableBytes > 0 {
      result += Array(try decoder.decode(part).readableBytesView)
    }
    try decoder.finish()
    return result
  }

  private struct Sample: Sendable {
    let text: String
    let encoding: String
    let bytes: [UInt8]
  }

  private static let samples = [
    Sample(text: "H4sIAAAAAAACA8tIzcnJVyjPL8pJ0VHIAHMy8nNT4WwEyQUAgEggQisAAAA=", encoding: "gzip", bytes: hello),
    Sample(text: "eNrLSM3JyVcozy/KSdFRyABzMvJzU+FsBMkFAFgoD1g=", encoding: "deflate", bytes: hello),
    Sample(text: "y0jNyclXKM8vyknRUcgAczLyc1PhbATJBQA=", encoding: "deflate", bytes: hello),
    Sample(text: "ASsA1P9oZWxsbyB3b3JsZCwgaGVsbG8gaG9tZSwgaGVsbG8gaGVsbG8gaGVsbG8K", encoding: "deflate", bytes: hello),
    Sample(text: dynamic, encoding: "GZIP", bytes: noise),
    Sample(text: repeated, encoding: "deflate", bytes: Array(repeatElement(noise, count: 60).joined())),
  ]

  @Test(arguments: [1, 7, 10000]) func bodiesAreAsTheyWere(_ parts: Int) throws {
    for sample in Self.samples {
      #expect(try Self.inflated(sample.text, sample.encoding, parts: parts) == sample.bytes)
    }
  }

  @Test func whatIsCutOffOrDamagedIsSaid() throws {
    let failure = #expect(throws: CommandFailure.self) {
      try Self.inflated(String(Self.dynamic.prefix(400)), "gzip", parts: 100)
    }
    #expect(failure?.status == .partial)
    for text in ["AAAAAAAAAAAAAAAA", "H4sIAAAAAAACA///////////////////"] {
      #expect(throws: CommandFailure.self) { try Self.inflated(text, "gzip", parts: 100) }
    }
    #expect(throws: CommandFailure.self) { try Inflate.Decoder("br") }
    #expect(try Inflate.Decoder(nil) == nil && Inflate.Decoder("identity") == nil)
  }

  /// Whatever the bytes are, it ends, and says so or not.
  @Test func anyBytesAreSurvived() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var inflate = Inflate()
      let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? inflate.decode(bytes)
    }
  }
}
