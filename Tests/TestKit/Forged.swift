// Keys and certificates that do not belong together can only be made with what TLS shows to tests.
#if DEBUG
  import COpenSSL
  import FoundationEssentials

  @testable package import TLS

  /// What an honest node never has.
  package enum Forged {
    /// The certificate of one key with the private part of another, in a key whose public part is the certificate's, so that
    /// OpenSSL sees no difference.
    package static func identity(certificateOf victim: Identity, keyOf thief: Identity) throws -> Identity {
      var forged = try der(victim)
      // PKCS #8 of a P-256 key has 138 bytes, and its private part stands at 36 (RFC 5915 §3).
      forged.replaceSubrange(36..<68, with: try der(thief)[36..<68])
      var position: UnsafePointer<UInt8>?
      let key = forged.withUnsafeBufferPointer { bytes in
        position = bytes.baseAddress
        return d2i_AutoPrivateKey(nil, &position, bytes.count)
      }
      guard let key else { throw TLSError(.unusableIdentity, "the forgery failed") }
      return Identity(key: Key(owning: key), certificate: victim.certificate)
    }

    private static func der(_ identity: Identity) throws -> [UInt8] {
      let pem = String(decoding: identity.pem, as: UTF8.self)
      let lines = pem.split(separator: "\n").dropFirst().prefix { !$0.hasPrefix("-----END") }
      guard let data = Data(base64Encoded: lines.joined()), data.count == 138 else {
        throw TLSError(.unusableIdentity, "no key as expected")
      }
      return Array(data)
    }

    /// The key of the one in a certificate that another signed.
    package static func identity(of subject: Identity, signedBy issuer: Identity) throws -> Identity {
      let certificate = try Certificate.selfSigned(by: subject.key, name: "x", validity: .always)
      guard X509_sign(certificate.pointer, issuer.key.pointer, EVP_sha256()) > 0 else {
        throw TLSError(.unusableIdentity, "the forgery failed")
      }
      return Identity(key: subject.key, certificate: certificate)
    }
  }

  extension TLSConfiguration {
    /// A server that lets nobody in without a certificate, which no node is.
    package static func demanding(_ identity: Identity, newest: TLSVersion) throws -> TLSConfiguration {
      let configuration = try TLSConfiguration.node(identity, role: .server, newest: newest)
      SSL_CTX_set_verify(configuration.context.pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
      return configuration
    }
  }
#endif
