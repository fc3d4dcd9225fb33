import COpenSSL

/// What two sides of one TLS connection have in common and nobody in between can have, by its registered name (RFC 5056).
package enum ChannelBinding: String, CaseIterable, Hashable, Sendable {
  /// A secret of this connection (RFC 9266); the better one.
  case exporter = "tls-exporter"
  /// The server's certificate (RFC 5929 §4), hashed.
  case serverEndPoint = "tls-server-end-point"
}

extension Certificate {
  /// The hash of the certificate by the function that it is signed with, and by SHA-256 in place of MD5 and SHA-1
  /// (RFC 5929 §4.1). nil where its signature has none, such as Ed25519: then this type is not defined.
  var endPoint: [UInt8]? {
    var function = NID_undef
    guard X509_get_signature_info(pointer, &function, nil, nil, nil) == 1, function != NID_undef else { return nil }
    let isWeak = function == NID_md5 || function == NID_sha1 || function == NID_md5_sha1
    guard let method = isWeak ? EVP_sha256() : EVP_get_digestbyname(OBJ_nid2sn(function)) else { return nil }
    var isComputed = false
    let digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { bytes, count in
      var length: UInt32 = 0
      isComputed = X509_digest(pointer, method, bytes.baseAddress, &length) == 1
      count = isComputed ? Int(length) : 0
    }
    return isComputed ? digest : nil
  }
}
