import EventLoops
import NIOCore
import NIOPosix
import Synchronization
import Testing

struct LoopExecutorTests {
  private let executor = LoopExecutor.of(MultiThreadedEventLoopGroup.singleton.next())

  private final class Record: Sendable {
    private let numbers = Mutex<[Int]>([])
    func add(_ number: Int) { numbers.withLock { $0.append(number) } }
    var all: [Int] { numbers.withLock { $0 } }
  }

  @Test func whatTheLoopEnqueuesRunsInOrderWhenItIsTold() async throws {
    let record = Record()
    let atOnce = try await executor.eventLoop.submit { [executor] in
      for number in 1...3 { Task(executorPreference: executor) { record.add(number) } }
      record.add(0)
      executor.runJobs()
      return record.all
    }.get()
    #expect(atOnce == [0, 1, 2, 3])
  }

  @Test func whatNobodyTellsItToRunRunsAtTheEndOfTheTick() async throws {
    let record = Record()
    let tasks = try await executor.eventLoop.submit { [executor] in
      let tasks = (1...3).map { number in Task(executorPreference: executor) { record.add(number) } }
      record.add(0)
      return tasks
    }.get()
    for task in tasks { await task.value }
    #expect(record.all == [0, 1, 2, 3])
  }
}
