import COpenSSL
import NIOCore

/// The only owner of an `SSL`: one connection's ciphertext ⇄ plaintext, without a socket.
///
/// After an error it is of no more use, except that `takeOutgoing` gives the alert for the other side.
final class TLSSession {
  enum ReadOutcome: Equatable {
    /// The buffer is full, and there may be more.
    case full
    /// All was read that has come.
    case dry
    /// The other side said `close_notify`: nothing follows.
    case ended
  }

  let ssl: OpaquePointer
  private let bio = BufferBIO()
  /// Bytes that were written after the handshake while we only read.
  private var unasked = 0
  /// Kept as long as the session, which calls back to them.
  private let context: TLSContext
  private let sharedKey: SharedKeyBox?

  /// - Throws: `TLSError` with `unusableConfiguration` when out of memory, or for a server name that cannot be told.
  init(_ configuration: TLSConfiguration) throws(TLSError) {
    ErrorQueue.clear()
    context = configuration.context
    sharedKey = configuration.sharedKey.map { SharedKeyBox($0) }
    guard let ssl = SSL_new(context.pointer) else {
      throw ErrorQueue.error(.unusableConfiguration, "out of memory")
    }
    self.ssl = ssl
    let bio = try bio.make()
    SSL_set_bio(ssl, bio, bio)
    switch configuration.role {
    case .client: SSL_set_connect_state(ssl)
    case .server: SSL_set_accept_state(ssl)
    }
    if let name = configuration.applicationProtocol {
      // One name behind its length (RFC 7301 §3.1); it fails where there is no memory.
      let list = [UInt8(name.utf8.count)] + name.utf8
      guard SSL_set_alpn_protos(ssl, list, UInt32(list.count)) == 0 else {
        throw ErrorQueue.error(.unusableConfiguration, "out of memory")
      }
    }
    if let name = configuration.serverName, COpenSSL_SSL_set_server_name(ssl, name) != 1 {
      throw ErrorQueue.error(.unusableConfiguration, "“\(name)” cannot be told as a server name")
    }
    sharedKey?.use(in: ssl, configuration.role)
  }

  deinit {
    SSL_free(ssl)
  }

  /// Ciphertext from the network, read by the next `handshake` or `read`.
  func receive(_ bytes: ByteBuffer) {
    bio.receive(bytes)
  }

  /// Ciphertext for the network, where there is some. To be asked for after every other call, failed ones included.
  func takeOutgoing() -> ByteBuffer? {
    bio.takeOutgoing()
  }

  /// Goes as far as it can with what has come. True once it is done.
  func handshake() throws(TLSError) -> Bool {
    ErrorQueue.clear()
    let result = SSL_do_handshake(ssl)
    if result == 1 { return true }
    guard isWaiting(result) else { throw failure() }
    return false
  }

  /// Fills the buffer, up to its capacity, with what has come. Plaintext in the buffer is genuine even when it throws.
  func read(into buffer: inout ByteBuffer) throws(TLSError) -> ReadOutcome {
    let written = bio.outgoingBytes
    defer { unasked += bio.outgoingBytes - written }
    while buffer.writableBytes > 0 {
      ErrorQueue.clear()
      var result: Int32 = 0
      buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { bytes in
        result = SSL_read(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
        return max(0, Int(result))
      }
      guard result <= 0 else { continue }
      if SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN { return .ended }
      guard isWaiting(result) else { throw failure() }
      guard unasked + bio.outgoingBytes - written <= TLSLimits.unaskedBytes else {
        throw TLSError(.violation, "the other side makes us answer the TLS protocol over and over")
      }
      return .dry
    }
    return .full
  }

  /// Only after the handshake.
  func write(_ bytes: ByteBuffer) throws(TLSError) {
    guard bytes.readableBytes > 0 else { return }
    bio.reserve(bytes.readableBytes + (bytes.readableBytes / TLSLimits.recordBytes + 1) * TLSLimits.recordOverhead)
    var bytes = bytes
    while bytes.readableBytes > 0 {
      ErrorQueue.clear()
      let result = bytes.withUnsafeReadableBytes { SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) }
      // The network takes everything, so there is nothing to wait for.
      guard result > 0 else { throw failure() }
      bytes.moveReaderIndex(forwardBy: Int(result))
    }
  }

  /// Says `close_notify`: nothing is written after it, reading goes on.
  func sayGoodbye() {
    ErrorQueue.clear()
    SSL_shutdown(ssl)
    ErrorQueue.clear()
  }

  private func isWaiting(_ result: Int32) -> Bool {
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: true
    default: false
    }
  }

  private func failure() -> TLSError {
    .session(refusal: context.rule.message(SSL_get_verify_result(ssl)))
  }
}

/// What the handshake has shown.
extension TLSSession {
  var peer: PeerCertificate? {
    guard let pointer = SSL_get1_peer_certificate(ssl) else { return nil }
    let certificate = Certificate(owning: pointer)
    return PeerCertificate(spki: certificate.spki, certificate: certificate.der)
  }

  /// Nothing but these two is offered or accepted.
  var version: TLSVersion { SSL_version(ssl) == TLS1_2_VERSION ? .v12 : .v13 }

  /// The standard's name, such as `TLS_AES_128_GCM_SHA256`.
  var cipher: String {
    SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? ""
  }

  /// What ties a login to this very connection (RFC 5056), the types that this connection has; none before the handshake is done.
  var channelBindings: [ChannelBinding: [UInt8]] {
    defer { ErrorQueue.clear() }
    var bindings: [ChannelBinding: [UInt8]] = [:]
    var secret = [UInt8](repeating: 0, count: 32)
    if COpenSSL_SSL_export_channel_binding(ssl, &secret, secret.count) == 1 { bindings[.exporter] = secret }
    if let pointer = SSL_get1_peer_certificate(ssl) {
      bindings[.serverEndPoint] = Certificate(owning: pointer).endPoint
    }
    return bindings
  }
}
