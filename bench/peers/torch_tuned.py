"""The notebook's REINFORCE loop in PyTorch, as fast as autograd and its optimizer allow.

Differs from notebook_torch.py in what costs time and not in what is learned: the
noise of an episode is drawn at once, the rollout runs without autograd on plain
functions, discounted returns are one product, one forward pass over the episode's
days serves the loss, and Adam is torch's form over lists of tensors (foreach).

    one        one trial after the other; the market in plain Python numbers
    lockstep   256 trials at once: batched products, the market in tensors

Prints microseconds of CPU time per episode of one trial, and the mean return of the
first and of the last ten episodes.

    OMP_NUM_THREADS=1 python3 torch_tuned.py one|lockstep [--trials N] [--episodes 100]
"""

import argparse
import math
import time

import torch

CHANNELS, DAYS, BUDGET = 3, 30, 1000.0
BASE, SATURATION, VOLATILITY = [0.3, 0.5, 0.7], [300.0, 500.0, 400.0], [0.1, 0.2, 0.15]
DELAY = [0.5, 0.3, 0.15, 0.05]
SIZES = [1 + 2 * CHANNELS + len(DELAY) - 1, 64, 32, CHANNELS]
GAMMA, ENTROPY_WEIGHT, RATE = 0.99, 0.01, 0.01
# Rewards times DISCOUNT are discounted returns: [later, day] is GAMMA**(later - day).
DISCOUNT = torch.tensor([[GAMMA ** (later - day) if later >= day else 0.0 for day in range(DAYS)] for later in range(DAYS)])


def init(trials):
    """Weights [trials, in, out] and biases [trials, 1, out] of each layer, and the log standard deviations."""
    params = []
    for i, o in zip(SIZES, SIZES[1:]):
        bound = 1 / math.sqrt(i)
        params += [torch.empty(trials, i, o).uniform_(-bound, bound), torch.empty(trials, 1, o).uniform_(-bound, bound)]
    params.append(torch.full((trials, 1, CHANNELS), -0.5))
    return [p.requires_grad_() for p in params]


def forward(params, x):
    w1, b1, w2, b2, w3, b3 = params[:6]
    x = torch.relu_(torch.baddbmm(b1, x, w1))
    x = torch.relu_(torch.baddbmm(b2, x, w2))
    return torch.sigmoid(torch.baddbmm(b3, x, w3))


def forward_day(params, x):
    """forward for one row a trial, [trials, inputs]: sums of products take half as long as bmm."""
    w1, b1, w2, b2, w3, b3 = params[:6]
    x = torch.relu_((x[:, :, None] * w1).sum(dim=1).add_(b1[:, 0]))
    x = torch.relu_((x[:, :, None] * w2).sum(dim=1).add_(b2[:, 0]))
    return torch.sigmoid_((x[:, :, None] * w3).sum(dim=1).add_(b3[:, 0]))


def update(params, optimizer, states, actions, rewards):
    """states [trials, days, inputs], actions [trials, days, channels], rewards [trials, days]."""
    returns = rewards @ DISCOUNT
    returns -= returns.mean(dim=1, keepdim=True)
    returns /= returns.std(dim=1, keepdim=True) + 1e-5
    log_std = params[6]
    z = (actions - forward(params, states)) * torch.exp(-log_std)
    log_probs = (-0.5 * z * z - log_std).sum(dim=-1)
    loss = -(log_probs * returns).sum() / DAYS - ENTROPY_WEIGHT * log_std.sum()  # constants left out
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def rollout_one(params):
    flat = [p.detach()[0] for p in params[:6]]
    w1, b1, w2, b2, w3, b3 = [flat[0], flat[1][0], flat[2], flat[3][0], flat[4], flat[5][0]]
    noise = torch.randn(DAYS, CHANNELS) * params[6].detach()[0].exp()
    market = torch.randn(DAYS, 2 * CHANNELS).tolist()
    effectiveness, spent, pending = list(BASE), [0.0] * CHANNELS, [0.0] * (len(DELAY) + 1)
    states, actions, rewards = [], [], []
    for day in range(DAYS):
        state = [day / DAYS] + [e / 0.7 for e in effectiveness] + [s / max(day, 1) for s in spent] + [p / BUDGET for p in pending[1:-1]]
        x = torch.tensor(state)
        y = torch.relu_(torch.addmv(b1, w1.t(), x))
        y = torch.relu_(torch.addmv(b2, w2.t(), y))
        action = torch.sigmoid_(torch.addmv(b3, w3.t(), y)).add_(noise[day]).clamp_(0, 1)
        states.append(x)
        actions.append(action)
        action = action.tolist()
        total = sum(action) or 1.0
        z, generated = market[day], 0.0
        for i in range(CHANNELS):
            share = action[i] / total
            spent[i] += share
            spend = share * BUDGET
            generated += max(0.0, effectiveness[i] * spend * math.exp(-spend / SATURATION[i]) * (1 + 0.2 * z[i]))
            effectiveness[i] = max(0.1, effectiveness[i] + 0.1 * (BASE[i] - effectiveness[i]) + VOLATILITY[i] * z[CHANNELS + i])
        for lag, share in enumerate(DELAY):
            pending[lag] += generated * share
        rewards.append(pending.pop(0))
        pending.append(0.0)
    return torch.stack(states)[None], torch.stack(actions)[None], torch.tensor([rewards])


def rollout_lockstep(params):
    n = params[0].shape[0]
    std = params[6].detach().exp()[:, 0]
    policy, market = torch.randn(DAYS, n, CHANNELS), torch.randn(DAYS, 2, n, CHANNELS)
    base, saturation, volatility, delay = map(torch.tensor, (BASE, SATURATION, VOLATILITY, DELAY))
    effectiveness, spent, pending = base.repeat(n, 1), torch.zeros(n, CHANNELS), torch.zeros(n, len(DELAY) + 1)
    states, actions, rewards = torch.empty(n, DAYS, SIZES[0]), torch.empty(n, DAYS, CHANNELS), torch.empty(n, DAYS)
    for day in range(DAYS):
        x = states[:, day]
        x[:, 0] = day / DAYS
        x[:, 1:4] = effectiveness / 0.7
        x[:, 4:7] = spent / max(day, 1)
        x[:, 7:] = pending[:, 1:len(DELAY)] / BUDGET
        action = forward_day(params, x).add_(policy[day] * std).clamp_(0, 1)
        actions[:, day] = action
        total = action.sum(dim=1, keepdim=True)
        share = action / torch.where(total > 0, total, 1.0)
        spent += share
        spend = share * BUDGET
        generated = (effectiveness * spend * torch.exp(-spend / saturation) * (1 + 0.2 * market[day, 0])).clamp_(min=0).sum(dim=1)
        pending[:, :-1] += generated[:, None] * delay
        rewards[:, day] = pending[:, 0]
        pending = torch.nn.functional.pad(pending[:, 1:], (0, 1))
        effectiveness += 0.1 * (base - effectiveness) + volatility * market[day, 1]
        effectiveness.clamp_(min=0.1)
    return states, actions, rewards


def train(rollout, trials, episodes):
    params = init(trials)
    optimizer = torch.optim.Adam(params, lr=RATE, foreach=True)
    totals = torch.empty(episodes, trials)
    for e in range(episodes):
        with torch.no_grad():
            states, actions, rewards = rollout(params)
        update(params, optimizer, states, actions, rewards)
        totals[e] = rewards.sum(dim=1)
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("form", choices=["one", "lockstep"])
    parser.add_argument("--trials", type=int)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    one = args.form == "one"
    trials = args.trials or (2 if one else 256)
    rollout = rollout_one if one else rollout_lockstep
    train(rollout, 1 if one else trials, 2)  # the first calls load code
    start = time.process_time()
    if one:
        totals = torch.cat([train(rollout, 1, args.episodes) for _ in range(trials)], dim=1)
    else:
        totals = train(rollout, trials, args.episodes)
    trial = (time.process_time() - start) / trials
    last = totals[-10:].double().mean(dim=0)
    print(
        f"torch_{args.form} us_per_episode {1e6 * trial / args.episodes:.2f} us_per_trial {1e6 * trial:.0f}"
        f" first10 {totals[:10].mean():.0f} last10 {last.mean():.2f} squares {(last**2).sum():.2f} trials {trials}"
    )


if __name__ == "__main__":
    main()
