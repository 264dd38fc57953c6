package stats
import ("testing";"math";"fmt";"overnight/internal/rng")
func TestExplore(t *testing.T){
 dists:=map[string]func(*rng.Stream)float64{"normal":func(s*rng.Stream)float64{return s.Normal()},"exp":func(s*rng.Stream)float64{return s.Exponential()},"lognorm":func(s*rng.Stream)float64{return math.Exp(s.Normal())},"beta-ish 1-exp/20":func(s*rng.Stream)float64{return 1-s.Exponential()/20}}
 for name,d:=range dists{ 
  // true values
  big:=make([]float64,400000); bs:=rng.New(rng.Root(5,name)); for i:=range big{big[i]=d(&bs)}
  for _,st:=range []Statistic{ByMean,ByIQM,ByMedian}{
   truth:=value(Scores{big},st); if st==ByMean{ truth=map[string]float64{"normal":0,"exp":1,"lognorm":math.Exp(.5),"beta-ish 1-exp/20":.95}[name]}
   for _,m:=range []Method{Student,BCa,Percentile}{ if m==Student&&st!=ByMean{continue}
    for _,n:=range []int{5,6,8,10,20,30}{
     hit:=0; reps:=1000
     for k:=range reps{ key:=rng.Root(9,"c",uint64(n)).At(uint64(k)); s:=rng.New(key); x:=make([]float64,n); for i:=range x{x[i]=d(&s)}
      e:=Estimate(Scores{x},st,Options{Method:m,Key:key.At(1),Resamples:1000}); if e.Contains(truth){hit++}}
     fmt.Printf("%s %s %s n=%d %.3f\n",name,st,m,n,float64(hit)/float64(reps))
 }}}}}
