import NIOCore
import NIOPosix

/// The event loop of what passes over servers, for the life of the process: a thread of its own, so that whatever comes from there takes no turn
/// of the link's. Made when there is an account or a component.
enum ServerLoop {
  static let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
}
