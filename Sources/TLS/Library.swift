import COpenSSL

/// OpenSSL as a whole, for this process.
enum Library {
  /// To be looked at before the first call into it. By itself OpenSSL would free everything when the process exits, under
  /// the hands of threads that still close their connections.
  static let isReady = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1
}
