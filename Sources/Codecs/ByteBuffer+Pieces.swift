package import NIOCore

/// Fields and attributes consist of pieces of a few bytes. Each write of a buffer looks for room, so they are written together.
extension ByteBuffer {
  /// Appends one behind the other.
  package mutating func write(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ third: UnsafeRawBufferPointer,
    _ fourth: UnsafeRawBufferPointer, _ fifth: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
  ) {
    let count = first.count + second.count + third.count + fourth.count + fifth.count
    writeWithUnsafeMutableBytes(minimumWritableBytes: count) { buffer in
      guard var rest = buffer.baseAddress else { return 0 }
      rest.take(first)
      rest.take(second)
      rest.take(third)
      rest.take(fourth)
      rest.take(fifth)
      return count
    }
  }
}

extension UnsafeMutableRawPointer {
  /// Room has been made for all of them.
  fileprivate mutating func take(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    copyMemory(from: source, byteCount: bytes.count)
    self += bytes.count
  }
}

/// Public, since of what is `package` nothing is inlined in another module (Swift 6.3).
extension StaticString {
  @inlinable public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }
}
