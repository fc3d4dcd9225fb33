import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Opens a connection and closes it, to tell apart why one cannot be had.
enum ConnectProbe {
  enum Outcome: Equatable {
    case accepted
    /// The host is there, and nothing listens.
    case refused
    /// Nothing came back within `CLILimits.connect`.
    case silence
    /// No way there: the system's words.
    case unreachable(String)
  }

  /// Whether somebody takes connections at a unix socket.
  static func isListening(at path: String) async -> Bool {
    let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(unixDomainSocketPath: path).get()
    channel?.close(promise: nil)
    return channel != nil
  }

  /// - Parameter scope: the interface's name, for a link-local IPv6 address.
  static func connect(to address: String, port: Int, scope: String) async -> Outcome {
    let isLinkLocal = address.lowercased().hasPrefix("fe80:")
    do {
      let target = try SocketAddress.makeAddressResolvingHost(isLinkLocal ? "\(address)%\(scope)" : address, port: port)
      let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connectTimeout(TimeAmount(CLILimits.connect)).connect(to: target).get()
      channel.close(promise: nil)
      return .accepted
    } catch let error as IOError {
      switch error.errnoCode {
      case ECONNREFUSED: return .refused
      case ETIMEDOUT: return .silence
      default: return .unreachable(String(cString: strerror(error.errnoCode)))
      }
    } catch is ChannelError {
      return .silence
    } catch {
      return .unreachable("\(error)")
    }
  }
}
