import NIOCore
import XML

/// What a reader made of some input.
struct Reading: Equatable {
  var events: [XMLEvent] = []
  var error: XMLError.Code?

  /// The stanzas, without the stream around them.
  var elements: [Element] {
    events.compactMap { if case .element(let element) = $0 { element } else { nil } }
  }

  /// Feeds parts until they end or the reader fails.
  init(_ parts: some Sequence<ByteBuffer>, limits: XMLLimits = .established) throws {
    let reader = XMLReader(limits: limits)
    do {
      for part in parts { try reader.feed(part) { events.append($0) } }
    } catch let error as XMLError {
      self.error = error.code
    }
  }

  init(_ text: String, limits: XMLLimits = .established) throws {
    try self.init([ByteBuffer(string: text)], limits: limits)
  }

  init(bytes: [UInt8], limits: XMLLimits = .established) throws {
    try self.init([ByteBuffer(bytes: bytes)], limits: limits)
  }
}

/// Ways to cut the same bytes.
func splits(_ bytes: [UInt8]) -> [[ByteBuffer]] {
  var generator = SplitMix(state: 174)
  func cut(at places: [Int]) -> [ByteBuffer] {
    zip([0] + places, places + [bytes.count]).map { ByteBuffer(bytes: bytes[$0..<$1]) }
  }
  let byteByByte = cut(at: Array(1..<max(bytes.count, 1)))
  let inTwo = bytes.indices.map { cut(at: [$0]) }
  let random = (0..<20).map { _ in
    cut(at: (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted())
  }
  return [byteByByte] + inTwo + random
}

/// The same numbers in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A stream with this inside.
func stream(_ content: String) -> String {
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>" + content
}
