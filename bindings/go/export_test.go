package sectile

import "context"

// AcquirePooled takes an instance from the pool and returns it.
func AcquirePooled(engine *Engine) error {
	instance, err := engine.acquire(context.Background())
	if err == nil {
		engine.release(instance)
	}
	return err
}

// AcquireNew creates an instance and closes it.
func AcquireNew(engine *Engine) error {
	instance, err := newInstance(context.Background(), engine)
	if err == nil {
		closeInstance(instance)
	}
	return err
}

// TrapIdle makes the idle instances trap, as a defect of the core would, and returns their number.
func TrapIdle(engine *Engine) int {
	engine.mutex.Lock()
	defer engine.mutex.Unlock()
	for _, instance := range engine.idle {
		closeInstance(instance)
	}
	return len(engine.idle)
}

// GrowIdle grows the memory of the idle instances beyond the bound.
func GrowIdle(engine *Engine) {
	engine.mutex.Lock()
	defer engine.mutex.Unlock()
	for _, instance := range engine.idle {
		instance.memory.Grow(maxIdleMemory / 65536)
	}
}

// Idle returns the number of idle instances.
func Idle(engine *Engine) int {
	engine.mutex.Lock()
	defer engine.mutex.Unlock()
	return len(engine.idle)
}
