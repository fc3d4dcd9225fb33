import NIOCore

/// DEFLATE (RFC 1951), from parts of any size to bytes: blocks of stored bytes, and of codes that refer to what came before.
///
/// Each step is taken once all of its bits are there: where they are not, it is taken again with the next part.
struct Inflate {
  /// What is no DEFLATE, or no gzip or zlib around it.
  struct Malformed: Error {}

  private enum State {
    case block
    case stored(Int)
    case codes(literals: HuffmanCode, distances: HuffmanCode)
    case done
  }

  private var state = State.block
  private var isLast = false
  private var input = BitReader()
  /// The last 32 KiB that were written: how far back a distance goes.
  private var window: [UInt8] = []
  private static let windowSize = 32768

  var isDone: Bool { if case .done = state { true } else { false } }

  /// Bytes behind the end.
  mutating func rest() -> [UInt8] { input.rest() }

  /// Throws `Malformed`.
  mutating func decode(_ bytes: some Collection<UInt8>) throws(Malformed) -> [UInt8] {
    input.append(bytes)
    var output: [UInt8] = []
    while !isDone {
      let before = input
      guard try step(&output) else {
        input = before
        break
      }
    }
    input.forget()
    if output.count >= Self.windowSize {
      window = Array(output.suffix(Self.windowSize))
    } else {
      window = window.suffix(Self.windowSize - output.count) + output
    }
    return output
  }

  /// False where there are not enough bits.
  private mutating func step(_ output: inout [UInt8]) throws(Malformed) -> Bool {
    switch state {
    case .done: return true
    case .block: return try beginBlock()
    case .stored(let left):
      let bytes = input.takeBytes(upTo: left)
      output += bytes
      state = left > bytes.count ? .stored(left - bytes.count) : next
      return left == 0 || !bytes.isEmpty
    case .codes(let literals, let distances): return try takeSymbol(literals, distances, &output)
    }
  }

  private var next: State { isLast ? .done : .block }

  private mutating func beginBlock() throws(Malformed) -> Bool {
    guard let last = input.take(1), let type = input.take(2) else { return false }
    switch type {
    case 0:
      input.align()
      guard let length = input.take(16), let complement = input.take(16) else { return false }
      guard length == ~complement & 0xFFFF else { throw Malformed() }
      isLast = last == 1
      state = length == 0 ? next : .stored(length)
    case 1:
      isLast = last == 1
      state = .codes(literals: .fixedLiterals, distances: .fixedDistances)
    case 2:
      guard let (literals, distances) = try takeCodes() else { return false }
      isLast = last == 1
      state = .codes(literals: literals, distances: distances)
    default: throw Malformed()
    }
    return true
  }

  private static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// RFC 1951 §3.2.7.
  private mutating func takeCodes() throws(Malformed) -> (HuffmanCode, HuffmanCode)? {
    guard let literals = input.take(5), let distances = input.take(5), let lengths = input.take(4) else { return nil }
    var codeLengths = [UInt8](repeating: 0, count: 19)
    for place in Self.lengthOrder.prefix(lengths + 4) {
      guard let length = input.take(3) else { return nil }
      codeLengths[place] = UInt8(length)
    }
    let code = HuffmanCode(codeLengths)
    let count = literals + 257 + distances + 1
    var all: [UInt8] = []
    while all.count < count {
      guard let symbol = try input.take(code) else { return nil }
      switch symbol {
      case 0..<16: all.append(UInt8(symbol))
      case 16:
        guard let last = all.last else { throw Malformed() }
        guard let times = input.take(2) else { return nil }
        all += repeatElement(last, count: times + 3)
      default:
        guard let times = input.take(symbol == 17 ? 3 : 7) else { return nil }
        all += repeatElement(0, count: times + (symbol == 17 ? 3 : 11))
      }
    }
    guard all.count == count else { throw Malformed() }
    return (HuffmanCode(Array(all[..<(literals + 257)])), HuffmanCode(Array(all[(literals + 257)...])))
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ]
  private static let distanceBits = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
  ]

  private mutating func takeSymbol(
    _ literals: HuffmanCode, _ distances: HuffmanCode, _ output: inout [UInt8]
  ) throws(Malformed) -> Bool {
    guard let symbol = try input.take(literals) else { return false }
    guard symbol >= 256 else {
      output.append(UInt8(symbol))
      return true
    }
    guard symbol > 256 else {
      state = next
      return true
    }
    let place = symbol - 257
    guard place < Self.lengthBases.count else { throw Malformed() }
    guard let more = input.take(Self.lengthBits[place]), let far = try input.take(distances) else { return false }
    guard far < Self.distanceBases.count else { throw Malformed() }
    guard let further = input.take(Self.distanceBits[far]) else { return false }
    try copy(Self.lengthBases[place] + more, from: Self.distanceBases[far] + further, &output)
    return true
  }

  private func copy(_ length: Int, from distance: Int, _ output: inout [UInt8]) throws(Malformed) {
    guard distance <= output.count + window.count else { throw Malformed() }
    for _ in 0..<length {
      let place = output.count - distance
      output.append(place >= 0 ? output[place] : window[window.count + place])
    }
  }
}

/// Bits of bytes, the low ones first (RFC 1951 §3.1.1).
private struct BitReader {
  private var bytes: [UInt8] = []
  private var position = 0

  mutating func append(_ more: some Collection<UInt8>) { bytes += more }

  /// Drops the bytes that were read.
  mutating func forget() {
    bytes.removeFirst(position >> 3)
    position &= 7
  }

  mutating func align() { position = (position + 7) & ~7 }

  mutating func rest() -> [UInt8] {
    align()
    defer { bytes = [] }
    return Array(bytes[min(position >> 3, bytes.count)...])
  }

  /// nil where there are not so many.
  mutating func take(_ count: Int) -> Int? {
    guard position + count <= bytes.count * 8 else { return nil }
    var value = 0
    for bit in 0..<count {
      let place = position + bit
      value |= Int(bytes[place >> 3] >> UInt8(place & 7) & 1) << bit
    }
    position += count
    return value
  }

  mutating func takeBytes(upTo limit: Int) -> ArraySlice<UInt8> {
    let start = position >> 3
    let end = min(bytes.count, start + limit)
    position = end << 3
    return bytes[start..<end]
  }

  /// nil where the bits of a symbol are not all there.
  mutating func take(_ code: HuffmanCode) throws(Inflate.Malformed) -> Int? {
    var (value, first, index) = (0, 0, 0)
    for length in 1...HuffmanCode.longest {
      let place = position + length - 1
      guard place < bytes.count * 8 else { return nil }
      value |= Int(bytes[place >> 3] >> UInt8(place & 7) & 1)
      let count = code.counts[length]
      if value - first < count {
        position += length
        return code.symbols[index + value - first]
      }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw Inflate.Malformed()
  }
}

/// A canonical Huffman code, by the lengths of its codes (RFC 1951 §3.2.2).
private struct HuffmanCode {
  static let longest = 15
  /// How many codes there are of each length.
  private(set) var counts = [Int](repeating: 0, count: longest + 1)
  /// By length, then by value.
  let symbols: [Int]

  /// - Parameter lengths: of the code of each symbol; 0 where it has none.
  init(_ lengths: [UInt8]) {
    for length in lengths where length > 0 { counts[Int(length)] += 1 }
    symbols = lengths.indices.filter { lengths[$0] > 0 }.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
  }

  static let fixedLiterals = HuffmanCode(
    [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112) + [UInt8](repeating: 7, count: 24)
      + [UInt8](repeating: 8, count: 8))
  static let fixedDistances = HuffmanCode([UInt8](repeating: 5, count: 30))
}

extension Inflate {
  /// A body with `Content-Encoding: gzip` (RFC 1952) or `deflate` (RFC 1950, and what some send instead: RFC 1951).
  struct Decoder {
    private enum Wrapping { case gzip, zlib }

    private let wrapping: Wrapping
    private var header: [UInt8]? = []
    private var inflate = Inflate()

    /// nil where the body is as it is. Throws `CommandFailure` where it has an encoding that was not asked for.
    init?(_ contentEncoding: String?) throws(CommandFailure) {
      switch contentEncoding?.lowercased() {
      case nil, "", "identity": return nil
      case "gzip", "x-gzip": wrapping = .gzip
      case "deflate": wrapping = .zlib
      case let other?:
        throw CommandFailure(
          .failure, "the body is encoded as “\(Printable.clean(other))”: leave out --compressed, to save it")
      }
    }

    /// Throws `CommandFailure`.
    mutating func decode(_ part: ByteBuffer) throws(CommandFailure) -> ByteBuffer {
      do throws(Malformed) {
        var bytes = Array(part.readableBytesView)
        if let begun = header {
          guard let length = try headerLength(begun + bytes) else {
            header = begun + bytes
            return ByteBuffer()
          }
          bytes = Array((begun + bytes)[length...])
          header = nil
        }
        return ByteBuffer(bytes: try inflate.decode(bytes))
      } catch {
        throw CommandFailure(.failure, "the body is not compressed as it says: leave out --compressed")
      }
    }

    /// Throws `CommandFailure` where the end is missing. An empty body has none.
    func finish() throws(CommandFailure) {
      guard inflate.isDone || header == [] else {
        throw CommandFailure(.partial, "the compressed body ended too early")
      }
    }

    /// nil where more of it has to come. Throws `Malformed`.
    private func headerLength(_ bytes: [UInt8]) throws(Malformed) -> Int? {
      switch wrapping {
      case .zlib:
        guard bytes.count >= 2 else { return nil }
        let isZlib = bytes[0] & 15 == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
        return isZlib ? 2 : 0
      case .gzip: return try gzipHeaderLength(bytes)
      }
    }

    /// RFC 1952 §2.3: ten bytes, then what the flags say.
    private func gzipHeaderLength(_ bytes: [UInt8]) throws(Malformed) -> Int? {
      guard bytes.count >= 10 else { return nil }
      guard bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else { throw Malformed() }
      let flags = bytes[3]
      var length = 10
      if flags & 4 != 0 {
        guard bytes.count >= 12 else { return nil }
        length += 2 + Int(bytes[10]) + Int(bytes[11]) << 8
      }
      for flag in [8, 16] as [UInt8] where flags & flag != 0 {
        guard length <= bytes.count, let end = bytes[length...].firstIndex(of: 0) else { return nil }
        length = end + 1
      }
      if flags & 2 != 0 { length += 2 }
      guard length <= 65536 + 300 else { throw Malformed() }
      return length <= bytes.count ? length : nil
    }
  }
}
