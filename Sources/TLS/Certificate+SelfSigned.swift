import COpenSSL

/// From when to when a certificate says that it is valid.
struct Validity {
  /// As `YYYYMMDDHHMMSSZ`.
  var from: String
  var until: String

  /// No end is written in this way (RFC 5280 §4.1.2.5).
  static let always = Validity(from: "19700101000000Z", until: "99991231235959Z")
}

extension Certificate {
  /// X.509 v3, signed by the key that it carries, for no use but TLS.
  static func selfSigned(by key: Key, name: String, validity: Validity) throws(TLSError) -> Certificate {
    ErrorQueue.clear()
    guard let pointer = X509_new() else { throw ErrorQueue.error(.unusableIdentity, "no certificate could be made") }
    let certificate = Certificate(owning: pointer)
    guard
      X509_set_version(pointer, Int(X509_VERSION_3)) == 1, setSerialNumber(pointer), setName(pointer, name),
      ASN1_TIME_set_string_X509(X509_getm_notBefore(pointer), validity.from) == 1,
      ASN1_TIME_set_string_X509(X509_getm_notAfter(pointer), validity.until) == 1,
      X509_set_pubkey(pointer, key.pointer) == 1,
      add(NID_basic_constraints, "critical,CA:FALSE", to: pointer),
      add(NID_key_usage, "critical,digitalSignature", to: pointer),
      X509_sign(pointer, key.pointer, EVP_sha256()) > 0
    else { throw ErrorQueue.error(.unusableIdentity, "no certificate could be made for “\(name)”") }
    return certificate
  }

  /// Random and positive, below 20 octets (RFC 5280 §4.1.2.2).
  private static func setSerialNumber(_ certificate: OpaquePointer) -> Bool {
    var bytes = SecureRandom.bytes(16)
    bytes[0] = bytes[0] & 0x7f | 0x40
    let number = BN_bin2bn(bytes, Int32(bytes.count), nil)
    defer { BN_free(number) }
    return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
  }

  /// Subject and issuer, since it is self-signed.
  private static func setName(_ certificate: OpaquePointer, _ name: String) -> Bool {
    var characters = String.UnicodeScalarView()
    characters.append(contentsOf: name.unicodeScalars.prefix(TLSLimits.commonName))
    let bytes = Array(String(characters).utf8)
    let subject = X509_get_subject_name(certificate)
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, bytes, Int32(bytes.count), -1, 0) == 1
      && X509_set_issuer_name(certificate, subject) == 1
  }

  private static func add(_ extensionID: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
    guard let item = X509V3_EXT_conf_nid(nil, nil, extensionID, value) else { return false }
    defer { X509_EXTENSION_free(item) }
    return X509_add_ext(certificate, item, -1) == 1
  }
}
