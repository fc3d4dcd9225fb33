import NIOCore
import XML

/// What is done with an input, and what has to hold then.
struct FuzzTarget: Sendable {
  let name: String
  /// Bytes of an input: what lets every limit of the code be met, and no more, since short inputs are tried more often.
  let longest: Int
  let run: @Sendable ([UInt8]) -> Void

  init(_ name: String, longest: Int, _ run: @escaping @Sendable ([UInt8]) -> Void) {
    self.name = name
    self.longest = longest
    self.run = run
  }
}

/// Stops the program where something does not hold, which is what libFuzzer takes for a finding.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}

func requireEqual<Value: Equatable>(_ a: Value, _ b: Value, _ what: @autoclosure () -> String) {
  require(a == b, "\(what()):\n  \(a)\n  \(b)")
}

/// Numbers drawn from an input, the same in every run of it: how it is cut needs no bytes of its own.
struct Draw: RandomNumberGenerator {
  private var state: UInt64

  init(_ bytes: [UInt8]) {
    state = bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// `bytes` in parts of 1 to `longest` bytes; mostly few ones.
  mutating func parts(of bytes: [UInt8], longest: Int = .max) -> [ByteBuffer] {
    let usual = max(1, min(longest, Int.random(in: 1...max(1, bytes.count), using: &self)))
    var parts: [ByteBuffer] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 1...usual, using: &self))
      parts.append(ByteBuffer(bytes: bytes[start..<end]))
      start = end
    }
    return parts
  }
}

extension [UInt8] {
  /// At each `separator`.
  func records(separatedBy separator: UInt8) -> [[UInt8]] {
    split(separator: separator, omittingEmptySubsequences: false).map(Array.init)
  }
}

/// The elements that these bytes are inside a stream; those before what cannot be read.
func elements(_ bytes: [UInt8], limits: XMLLimits = .established) -> [Element] {
  var stream = ByteBuffer(string: streamStart)
  stream.writeBytes(bytes)
  var elements: [Element] = []
  try? XMLReader(limits: limits).feed(stream) { if case .element(let element) = $0 { elements.append(element) } }
  return elements
}

let streamStart = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

/// The element that was written so, which there has to be.
func read(_ written: ByteBuffer) -> Element {
  let elements = elements(Array(written.readableBytesView), limits: .generous)
  require(elements.count == 1, "What was written cannot be read: \(String(buffer: written))")
  return elements[0]
}

extension XMLLimits {
  /// What was read within limits may be longer when it is written: escapes, declarations of namespaces.
  static let generous = XMLLimits(stanzaBytes: 64 << 20, elements: 1 << 20, depth: 1 << 10, attributes: 1 << 10)
}
