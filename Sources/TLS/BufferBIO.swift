import COpenSSL
import NIOCore

/// The network as OpenSSL sees it: reads what was received, and writes to what is to be sent, without a copy in between.
///
/// It lives as long as the session whose `SSL` was given its `BIO`.
final class BufferBIO {
  private var incoming = ByteBuffer()
  private var outgoing = ByteBuffer()

  /// A `BIO` that calls back to this object, to be given away.
  ///
  /// - Throws: `TLSError` with `unusableConfiguration` when out of memory.
  func make() throws(TLSError) -> OpaquePointer {
    guard let method = Self.method, let bio = BIO_new(method) else {
      throw ErrorQueue.error(.unusableConfiguration, "out of memory")
    }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  // MARK: The side of the network

  func receive(_ bytes: ByteBuffer) {
    if incoming.readableBytes == 0 {
      incoming = bytes
    } else {
      incoming.writeImmutableBuffer(bytes)
    }
  }

  var outgoingBytes: Int { outgoing.readableBytes }

  /// Everything that is to be sent; nil where that is nothing.
  func takeOutgoing() -> ByteBuffer? {
    guard outgoing.readableBytes > 0 else { return nil }
    // What is read stays with the storage, which is used again once the network has let go of it.
    defer { outgoing.moveReaderIndex(to: outgoing.writerIndex) }
    return outgoing
  }

  /// Makes room for so much ciphertext at once, so that it is not moved while it grows.
  func reserve(_ bytes: Int) {
    guard outgoing.readableBytes == 0 else {
      outgoing.reserveCapacity(outgoing.writerIndex + bytes)
      return
    }
    if outgoing.capacity > TLSLimits.keptBuffer { outgoing = ByteBuffer() }
    outgoing.clear(minimumCapacity: bytes)
  }

  // MARK: The side of OpenSSL

  /// How many bytes there were, up to the length of `target`.
  private func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(target.count, incoming.readableBytes)
    incoming.readWithUnsafeReadableBytes { bytes in
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
      return count
    }
    // Lets the channel have its buffer back.
    if incoming.readableBytes == 0 { incoming = ByteBuffer() }
    return count
  }

  private func write(_ bytes: UnsafeRawBufferPointer) {
    if outgoing.readableBytes == 0 { reserve(bytes.count) }
    outgoing.writeBytes(bytes)
  }

  /// One for the process, never freed, and not changed after it was made.
  private nonisolated(unsafe) static let method: OpaquePointer? = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ByteBuffer") else { return nil }
    BIO_meth_set_read(method) { bio, target, count in
      COpenSSL_BIO_clear_retry_flags(bio)
      guard let buffer = BufferBIO.of(bio), let target, count > 0 else { return 0 }
      let read = buffer.read(into: UnsafeMutableRawBufferPointer(start: target, count: Int(count)))
      guard read > 0 else {
        COpenSSL_BIO_set_retry_read(bio)
        return -1
      }
      return Int32(read)
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      COpenSSL_BIO_clear_retry_flags(bio)
      guard let buffer = BufferBIO.of(bio), let bytes, count > 0 else { return 0 }
      buffer.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in
      // Nothing is held back, so a flush succeeds; nothing else is offered.
      command == BIO_CTRL_FLUSH ? 1 : 0
    }
    return method
  }()

  private static func of(_ bio: OpaquePointer?) -> BufferBIO? {
    BIO_get_data(bio).map { Unmanaged<BufferBIO>.fromOpaque($0).takeUnretainedValue() }
  }
}
