import Foundation
import NIOCore
import TestKit
import Testing
import XML

@Suite struct XMLLimitTests {
  static let limits = XMLLimits(stanzaBytes: 100, elements: 4, depth: 3, attributes: 2)

  static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

  /// At the limit, and one over it.
  static let cases: [(String, XMLError.Code?)] = [
    ("<s><a>\(text(93))</a>", nil),
    ("<s><a>\(text(94))</a>", .tooLarge(.stanzaBytes)),
    ("<s><a b='\(text(91))'/>", nil),
    ("<s><a b='\(text(92))'/>", .tooLarge(.stanzaBytes)),
    ("<s><a><![CDATA[\(text(200))", .tooLarge(.stanzaBytes)),
    ("<s a='\(text(92))'>", nil),
    ("<s a='\(text(93))'>", .tooLarge(.stanzaBytes)),
    ("<s><a><b/><b/><b/></a>", nil),
    ("<s><a><b/><b/><b/><b/></a>", .tooLarge(.elements)),
    ("<s><a><b><c/></b></a>", nil),
    ("<s><a><b><c><d/></c></b></a>", .tooLarge(.depth)),
    ("<s><a b='' c=''/>", nil),
    ("<s><a b='' c='' d=''/>", .tooLarge(.attributes)),
    ("<s><a xmlns='' b='' c=''/>", .tooLarge(.attributes)),
    // What is wrong before the limit is met comes first.
    ("<s><a>&#0;<b/>\(text(200))", .notWellFormed),
    ("<s><a><b></c>\(text(200))", .notWellFormed),
    // Each is counted anew for each stanza.
    ("<s>" + String(repeating: "<a><b><c/></b></a>", count: 20), nil),
    ("<s><a>\(text(93))</a> \n <a>\(text(93))</a>", nil),
  ]

  @Test(arguments: cases) func limitsHold(document: String, code: XMLError.Code?) throws {
    let bytes = Array(document.utf8)
    let whole = try Reading(bytes: bytes, limits: Self.limits)
    #expect(whole.error == code)
    for parts in splits(bytes) {
      #expect(try Reading(parts, limits: Self.limits) == whole, "\(parts.map(\.readableBytes))")
    }
  }

  @Test func limitsChangeAtTheNextStanza() throws {
    let reader = XMLReader(limits: Self.limits)
    var elements = 0
    try reader.feed(ByteBuffer(string: "<s><a>")) { _ in }
    reader.limits = .established
    try reader.feed(ByteBuffer(string: "\(Self.text(93))</a><a>\(Self.text(1000))</a>")) { _ in elements += 1 }
    #expect(elements == 2)
    reader.limits = Self.limits
    #expect(throws: XMLError.self) { try reader.feed(ByteBuffer(string: "<a>\(Self.text(1000))</a>")) { _ in } }
  }

  @Test func limitsMayChangeBetweenPipelinedStanzas() throws {
    let reader = XMLReader(limits: Self.limits)
    var events: [XMLEvent] = []
    try reader.feed(ByteBuffer(string: "<s><a>\(Self.text(1000))</a>")) {
      events.append($0)
      reader.limits = .established
    }
    #expect(events.count == 2)
  }

  @Test func whitespaceBetweenStanzasIsFree() throws {
    let spaces = ByteBuffer(string: String(repeating: " \n", count: 1 << 20))
    let reading = try Reading([ByteBuffer(string: "<s>"), spaces, ByteBuffer(string: "<a/>")], limits: Self.limits)
    #expect(reading == (try Reading("<s><a/>")))
  }

  /// 25 MB of distinct names took libxml2 two minutes before it was limited.
  @Test(.timeLimit(.minutes(1))) func namesAreLimited() throws {
    let reader = XMLReader(limits: .established)
    var read = 0
    #expect {
      try reader.feed(ByteBuffer(string: "<s>")) { _ in }
      for index in 0..<100_000 { try reader.feed(ByteBuffer(string: "<name\(index)/>")) { _ in read += 1 } }
    } throws: { error in
      (error as? XMLError)?.code == .tooLarge(.names)
    }
    #expect(read > 1000)
  }

  @Test(.timeLimit(.minutes(1))) func aTagOfAttributesOnlyIsRefusedQuickly() throws {
    let attributes = (0..<20000).map { " a\($0)=''" }.joined()
    #expect(try Reading("<s><a\(attributes)/>").error == .tooLarge(.attributes))
  }

  @Test(
    .timeLimit(.minutes(1)),
    .enabled(
      if: ProcessInfo.processInfo.environment["HEARTH_MEMORY_TESTS"] != nil,
      "measures the whole process: scripts/test runs it alone"))
  func memoryDoesNotGrowWithTheStream() throws {
    let block = String(repeating: "QmFzZTY0", count: 8192)
    let bytes = ByteBuffer(string: "<iq type='set' id='i'><data xmlns='urn:d' seq='1'>\(block)</data></iq>\n")
    let reader = XMLReader(limits: .established)
    var read = 0
    func feed(_ count: Int) throws {
      for _ in 0..<count {
        var rest = bytes
        while let part = rest.readSlice(length: min(rest.readableBytes, 20_000)), part.readableBytes > 0 {
          try reader.feed(part) { _ in read += 1 }
        }
      }
    }
    try reader.feed(ByteBuffer(string: "<s>")) { _ in }
    try feed(100)
    let before = try residentBytes()
    try feed(2000)
    #expect(read == 2100)
    #expect(try residentBytes() - before < 16 << 20)
  }
}
