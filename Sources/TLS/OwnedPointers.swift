import COpenSSL

// The only owners of OpenSSL's keys and certificates. Neither is changed after it was made, and OpenSSL counts and caches
// behind locks of its own, so that both may be used on several threads.

/// A key: its public part, and mostly the private part too.
final class Key: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer

  /// Takes over an `EVP_PKEY`.
  init(owning pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    EVP_PKEY_free(pointer)
  }

  /// Nil where the bytes are no key, or something follows it.
  convenience init?(spki: [UInt8]) {
    defer { ErrorQueue.clear() }
    let pointer = spki.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      guard let key = d2i_PUBKEY(nil, &position, bytes.count) else { return nil as OpaquePointer? }
      guard position == bytes.baseAddress.map({ $0 + bytes.count }) else {
        EVP_PKEY_free(key)
        return nil
      }
      return key
    }
    guard let pointer else { return nil }
    self.init(owning: pointer)
  }
}

/// An X.509 certificate.
final class Certificate: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer

  /// Takes over an `X509`.
  init(owning pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    X509_free(pointer)
  }

  var der: [UInt8] { Self.der(pointer) }
  var spki: [UInt8] { Self.spki(pointer) }

  static func der(_ certificate: OpaquePointer) -> [UInt8] {
    encode { i2d_X509(certificate, $0) }
  }

  /// The bytes as they stand in the certificate.
  static func spki(_ certificate: OpaquePointer) -> [UInt8] {
    encode { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), $0) }
  }

  /// OpenSSL's encoders tell the length when asked for nothing else. Empty where they fail.
  private static func encode(_ encoder: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
    let length = Int(encoder(nil))
    guard length > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
      var position = buffer.baseAddress
      count = max(0, Int(encoder(&position)))
    }
  }
}

/// Memory that OpenSSL reads from or writes to.
struct MemoryBIO: ~Copyable {
  let pointer: OpaquePointer

  /// For writing. Nil when out of memory.
  init?() {
    guard let pointer = BIO_new(BIO_s_mem()) else { return nil }
    self.pointer = pointer
  }

  /// For reading what `bytes` hold, which must outlive this.
  init?(reading bytes: UnsafeBufferPointer<UInt8>) {
    guard let pointer = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
    self.pointer = pointer
  }

  deinit {
    BIO_free(pointer)
  }

  var written: [UInt8] {
    var start: UnsafeMutablePointer<CChar>?
    let count = COpenSSL_BIO_get_mem_data(pointer, &start)
    return [UInt8](UnsafeRawBufferPointer(start: start, count: max(0, count)))
  }
}
