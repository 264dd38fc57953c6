"""The notebook's REINFORCE loop in NumPy, one trial after the other.

What one writes who has read numpy_lockstep.py and wants a single trial soon: the
market in plain Python numbers, a network of three products into arrays that are
there already, the backward pass by hand over all days at once, Adam over one flat
array, the noise of an episode drawn at once, float32. Prints microseconds of CPU time
per episode, and the mean return of the first and of the last ten episodes.

    OMP_NUM_THREADS=1 python3 numpy_one.py [--trials 4] [--episodes 100]
"""

import argparse
import math
import time

import numpy as np

CHANNELS, DAYS, BUDGET = 3, 30, 1000.0
BASE, SATURATION, VOLATILITY = [0.3, 0.5, 0.7], [300.0, 500.0, 400.0], [0.1, 0.2, 0.15]
DELAY = [0.5, 0.3, 0.15, 0.05]
SIZES = [1 + 2 * CHANNELS + len(DELAY) - 1, 64, 32, CHANNELS]
GAMMA, ENTROPY_WEIGHT, RATE, BETA1, BETA2, EPSILON = 0.99, 0.01, 0.01, 0.9, 0.999, 1e-8


class Trial:
    def __init__(self, seed):
        self.rng = np.random.Generator(np.random.SFC64(seed))
        count = sum((i + 1) * o for i, o in zip(SIZES, SIZES[1:])) + CHANNELS
        self.params = np.zeros(count, np.float32)
        self.grads, self.first = np.zeros_like(self.params), np.zeros_like(self.params)
        self.second, self.scratch = np.zeros_like(self.params), np.zeros_like(self.params)
        self.weights, self.biases = self.views(self.params)
        self.weight_grads, self.bias_grads = self.views(self.grads)
        self.log_std, self.log_std_grad = self.params[-CHANNELS:], self.grads[-CHANNELS:]
        for i, (w, b) in enumerate(zip(self.weights, self.biases)):
            bound = 1 / math.sqrt(SIZES[i])
            w[...] = self.rng.uniform(-bound, bound, w.shape)
            b[...] = self.rng.uniform(-bound, bound, b.shape)
        self.log_std[...] = -0.5
        self.acts = [np.zeros((DAYS, size), np.float32) for size in SIZES]
        self.actions = np.zeros((DAYS, CHANNELS), np.float32)
        self.step = 0

    def views(self, flat):
        weights, biases, at = [], [], 0
        for i, o in zip(SIZES, SIZES[1:]):
            weights.append(flat[at:at + i * o].reshape(i, o))
            at += i * o
            biases.append(flat[at:at + o])
            at += o
        return weights, biases

    def rollout(self):
        policy = (self.rng.standard_normal((DAYS, CHANNELS), np.float32) * np.exp(self.log_std)).tolist()
        market = self.rng.standard_normal((DAYS, 2 * CHANNELS), np.float32).tolist()
        (w1, w2, w3), (b1, b2, b3) = self.weights, self.biases
        x, first, second, mean = self.acts
        dot, add, maximum, exp = np.dot, np.add, np.maximum, math.exp
        effectiveness, spent, pending = list(BASE), [0.0] * CHANNELS, [0.0] * (len(DELAY) + 1)
        rewards = []
        for day in range(DAYS):
            x[day] = [day / DAYS, *[e / 0.7 for e in effectiveness], *[s / max(day, 1) for s in spent], *[p / BUDGET for p in pending[1:-1]]]
            y = dot(x[day], w1, out=first[day])
            maximum(add(y, b1, out=y), 0, out=y)
            y = dot(y, w2, out=second[day])
            maximum(add(y, b2, out=y), 0, out=y)
            y = dot(y, w3, out=mean[day])
            outputs = [1 / (1 + exp(-v)) for v in add(y, b3, out=y).tolist()]
            mean[day] = outputs
            action = [min(1.0, max(0.0, m + z)) for m, z in zip(outputs, policy[day])]
            self.actions[day] = action
            total = sum(action) or 1.0
            z, generated = market[day], 0.0
            for i in range(CHANNELS):
                share = action[i] / total
                spent[i] += share
                spend = share * BUDGET
                generated += max(0.0, effectiveness[i] * spend * exp(-spend / SATURATION[i]) * (1 + 0.2 * z[i]))
                effectiveness[i] = max(0.1, effectiveness[i] + 0.1 * (BASE[i] - effectiveness[i]) + VOLATILITY[i] * z[CHANNELS + i])
            for lag, share in enumerate(DELAY):
                pending[lag] += generated * share
            rewards.append(pending.pop(0))
            pending.append(0.0)
        return rewards

    def update(self, rewards):
        total, returns = 0.0, []
        for r in reversed(rewards):
            total = r + GAMMA * total
            returns.append(total)
        returns = np.array(returns[::-1], np.float32)
        returns -= returns.mean()
        returns /= returns.std(ddof=1) + np.float32(1e-5)
        weight = (returns / DAYS)[:, None]
        mean = self.acts[3]
        inverse = np.exp(-self.log_std)
        z = (self.actions - mean) * inverse
        self.log_std_grad[...] = -(weight * (z * z - 1)).sum(axis=0) - np.float32(ENTROPY_WEIGHT)
        delta = -weight * z * inverse
        delta *= mean * (1 - mean)
        for i in (2, 1, 0):
            np.dot(self.acts[i].T, delta, out=self.weight_grads[i])
            np.sum(delta, axis=0, out=self.bias_grads[i])
            if i > 0:
                delta = np.dot(delta, self.weights[i].T)
                delta *= self.acts[i] > 0
        self.adam()

    def adam(self):
        self.step += 1
        g, m, v, t = self.grads, self.first, self.second, self.scratch
        m *= np.float32(BETA1)
        np.multiply(g, np.float32(1 - BETA1), out=t)
        m += t
        v *= np.float32(BETA2)
        g *= g
        g *= np.float32(1 - BETA2)
        v += g
        np.sqrt(v, out=t)
        t *= np.float32(1 / math.sqrt(1 - BETA2**self.step))
        t += np.float32(EPSILON)
        np.divide(m, t, out=t)
        t *= np.float32(RATE / (1 - BETA1**self.step))
        self.params -= t

    def train(self, episodes):
        totals = []
        for _ in range(episodes):
            rewards = self.rollout()
            self.update(rewards)
            totals.append(sum(rewards))
        return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    Trial(1).train(2)  # the first calls load code
    start = time.process_time()
    totals = np.array([Trial(1000 * args.seed + i).train(args.episodes) for i in range(args.trials)])
    trial = (time.process_time() - start) / args.trials
    last = totals[:, -10:].mean(axis=1)
    print(
        f"numpy_one us_per_episode {1e6 * trial / args.episodes:.2f} us_per_trial {1e6 * trial:.0f}"
        f" first10 {totals[:, :10].mean():.0f} last10 {last.mean():.2f} squares {(last**2).sum():.2f} trials {len(last)}"
    )


if __name__ == "__main__":
    main()
