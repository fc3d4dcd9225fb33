import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why a server does not listen; the message says what to do.
package struct HTTPServerError: Error {
  package enum Code: Sendable {
    case inUse
    case notPermitted
    /// The machine has no such address, or not its family.
    case noSuchAddress
    case cannotListen
  }

  package let code: Code
  package let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// What the system said about listening on `name`.
  init(listeningOn name: String, _ error: any Error) {
    switch (error as? IOError)?.errnoCode {
    case EADDRINUSE: self.init(.inUse, "\(name) is in use by another program: stop it, or choose another address")
    case EACCES, EPERM: self.init(.notPermitted, "\(name): permission denied")
    case EADDRNOTAVAIL, EAFNOSUPPORT: self.init(.noSuchAddress, "\(name): this machine has no such address")
    case ENOENT: self.init(.cannotListen, "\(name): its folder does not exist")
    case let code?: self.init(.cannotListen, "\(name): cannot listen: \(String(cString: strerror(code)))")
    case nil: self.init(.cannotListen, "\(name): cannot listen: \(error)")
    }
  }
}

extension HTTPServerError: CustomStringConvertible {
  package var description: String { message }
}
