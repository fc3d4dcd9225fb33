import Glibc
import NIOCore
import NIOPosix

/// The event loop of what passes over servers, for the life of the process: a thread of its own, which gives way to those of the link, so that
/// whatever comes from there takes no turn of theirs. Made when there is an account or a component.
enum ServerLoop {
  static let eventLoop: any EventLoop = {
    let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    // In Linux this is the calling thread's alone. Where it is not allowed, nothing is lost but that.
    eventLoop.execute { _ = nice(DaemonLimits.serverNiceness) }
    return eventLoop
  }()
}
