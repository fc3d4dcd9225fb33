import Codecs
import NIOCore

/// Cuts the body of a message out of what comes (RFC 9112 §6 and §7): what is left of it, or inside which part of a chunk.
///
/// Chunk extensions and trailers are read over. In responses, spaces behind a chunk's size and lines that end with LF alone
/// are passed over, as nginx does; in requests the grammar holds.
struct BodyReader {
  enum Framing: Equatable {
    case none
    case counted(Int)
    case chunked
    case untilClose
  }

  enum Part {
    case bytes(ByteBuffer)
    case end
  }

  private enum State {
    case counted(Int)
    case untilClose
    /// In the line with a chunk's size.
    case size
    case chunk(Int)
    /// Behind the bytes of a chunk.
    case chunkEnd
    /// In the trailers, of which so many bytes came before.
    case trailers(Int)
    case ended
  }

  private let isLenient: Bool
  private var state: State

  init(_ framing: Framing, isLenient: Bool) {
    self.isLenient = isLenient
    switch framing {
    case .none: state = .counted(0)
    case .counted(let count): state = .counted(count)
    case .chunked: state = .size
    case .untilClose: state = .untilClose
    }
  }

  /// The next part of the body; nil where more has to come first.
  mutating func next(_ input: inout ByteBuffer) throws(HTTPMessageError) -> Part? {
    while true {
      switch state {
      case .counted(0), .ended: return .end
      case .counted(let left):
        guard let bytes = take(left, &input) else { return nil }
        state = .counted(left - bytes.readableBytes)
        return .bytes(bytes)
      case .untilClose: return take(.max, &input).map { .bytes($0) }
      case .chunk(let left):
        guard let bytes = take(left, &input) else { return nil }
        state = bytes.readableBytes == left ? .chunkEnd : .chunk(left - bytes.readableBytes)
        return .bytes(bytes)
      case .size:
        guard let line = try line(&input, ChunkLimits.line, "the line of a chunk's size is too long") else {
          return nil
        }
        let size = try size(line)
        state = size == 0 ? .trailers(0) : .chunk(size)
      case .chunkEnd:
        guard let line = try line(&input, 2, "a chunk is longer than its size") else { return nil }
        guard line.isEmpty else { throw .malformed("a chunk is longer than its size") }
        state = .size
      case .trailers(let count):
        guard let line = try line(&input, ChunkLimits.trailers - count, "the trailers are too long") else { return nil }
        state = line.isEmpty ? .ended : .trailers(count + line.count + 2)
      }
    }
  }

  /// The connection has ended; true where the body has too.
  var mayEnd: Bool {
    switch state {
    case .untilClose, .ended, .counted(0): true
    default: false
    }
  }

  private func take(_ limit: Int, _ input: inout ByteBuffer) -> ByteBuffer? {
    let count = min(limit, input.readableBytes)
    return count > 0 ? input.readSlice(length: count) : nil
  }

  /// A whole line, without its end; nil where that has not come.
  private func line(
    _ input: inout ByteBuffer, _ limit: Int, _ tooLong: String
  ) throws(HTTPMessageError) -> [UInt8]? {
    let view = input.readableBytesView
    guard let end = view.firstIndex(of: .lf) else {
      guard view.count <= limit else { throw .malformed(tooLong) }
      return nil
    }
    guard end - view.startIndex <= limit else { throw .malformed(tooLong) }
    var line = view[..<end]
    if line.last == .cr {
      line.removeLast()
    } else if !isLenient {
      throw .malformed("a line of a chunk ends without CR")
    }
    let bytes = Array(line)
    input.moveReaderIndex(to: end + 1)
    return bytes
  }

  /// Hexadecimal digits, with an extension at most behind them.
  private func size(_ line: [UInt8]) throws(HTTPMessageError) -> Int {
    var digits = line.prefix { $0 != UInt8(ascii: ";") }
    let hasExtension = digits.count < line.count
    while let last = digits.last, last.isOptionalSpace, isLenient || hasExtension { digits.removeLast() }
    guard !digits.isEmpty, digits.count <= ChunkLimits.digits,
      let values = Hexadecimal.values(of: digits)
    else { throw .malformed("a chunk has no size") }
    return values.reduce(0) { $0 << 4 | Int($1) }
  }
}
